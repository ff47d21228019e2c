"use strict";
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
  said.textContent = shown < texts.length ? shown.toLocaleString("en") + " of " + all : all;
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
