"use strict";
const header = document.querySelector("header");
const form = document.querySelector("form"), search = form.querySelector("input"), said = document.querySelector("output");
const selects = [...form.querySelectorAll("select")], all = said.textContent.trim();
const plain = text => text.normalize("NFC").toLowerCase();
const texts = Array.from(document.querySelectorAll("article"), article => ({
  article,
  values: new Map(Array.from(article.querySelectorAll("[data-filter]"), cell => [cell.dataset.filter, cell.textContent])),
}));

for (const select of selects) {
  const values = new Set(texts.map(text => text.values.get(select.name)).filter(Boolean));
  for (const value of values) select.add(new Option(value, value));
  select.hidden = values.size < 2;
}
for (const link of document.querySelectorAll("dd a")) {
  if (!document.getElementById(link.textContent)) link.removeAttribute("href");  // its text is in another page
}

function mark(wanted) {  // at most 1,000 hits, in the texts that are shown
  if (!window.Highlight) return;  // an older browser
  const forms = ["NFC", "NFD"].map(form => wanted.normalize(form).replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"));
  const hits = [], pattern = new RegExp(forms.join("|"), "giu"), shown = texts.filter(text => !text.article.hidden);
  for (const { article } of wanted ? shown : []) {
    if (hits.length === 1000) break;
    const nodes = document.createTreeWalker(article.querySelector(".text"), NodeFilter.SHOW_TEXT);
    while (nodes.nextNode()) {
      for (const hit of nodes.currentNode.data.matchAll(pattern)) {
        if (hits.length === 1000) break;
        const range = new Range();
        range.setStart(nodes.currentNode, hit.index);
        range.setEnd(nodes.currentNode, hit.index + hit[0].length);
        hits.push(range);
      }
    }
  }
  CSS.highlights.set("hit", new Highlight(...hits));
  if (hits.length && shown[0].article.contains(hits[0].startContainer)) {
    scrollBy(0, hits[0].getBoundingClientRect().top - header.offsetHeight - 48);
  }
}

function filter() {
  const wanted = plain(search.value.trim());
  let shown = 0;
  for (const text of texts) {
    let fits = selects.every(select => !select.value || select.value === text.values.get(select.name));
    if (fits && wanted) {
      text.words ??= plain(text.article.id + "\n" + text.article.querySelector(".text").textContent);
      fits = text.words.includes(wanted);
    }
    text.article.hidden = !fits;
    shown += fits;
  }
  said.textContent = shown === texts.length ? all : shown ? `${shown.toLocaleString("en")} of ${all}` : `No matches in ${all}`;
  mark(search.value.trim());
}

form.addEventListener("input", filter);
form.addEventListener("submit", event => event.preventDefault());
addEventListener("hashchange", () => {  // a link to a text that is filtered out shows it
  const target = document.querySelector("article:target");
  if (target?.hidden) {
    form.reset();
    filter();
    target.scrollIntoView();
  }
});
form.hidden = false;
filter();

function clear() {  // a text that a link leads to is below the header
  document.documentElement.style.scrollPaddingTop = header.offsetHeight + "px";
}
clear();
new ResizeObserver(clear).observe(header);
