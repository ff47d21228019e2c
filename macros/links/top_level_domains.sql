{#
  The top-level domains that make a host without http:// or www. a link. Edit the lists here.
  plain: with or without a path: example.com, example.org/about
  words: English words, abbreviations and endings of file names; only with a path: t.me/name, not to.me
  capitals: those of the plain ones that are English abbreviations in capitals: example.tv is a link, live.TV is not
#}
{% macro top_level_domains() %}
  {{ return({
    'plain': [
      'com', 'org', 'net', 'edu', 'gov', 'mil', 'biz', 'mobi', 'asia', 'coop',
      'ac', 'ae', 'ai', 'ar', 'au', 'bg', 'br', 'bz', 'ca', 'ch', 'cl', 'cn', 'co', 'cr', 'cz', 'de', 'dk', 'ee',
      'es', 'eu', 'fi', 'fm', 'fr', 'ge', 'gh', 'gl', 'gr', 'hk', 'hu', 'io', 'ir', 'jp', 'ke', 'kr', 'kz', 'lk',
      'lu', 'lv', 'ly', 'mx', 'ng', 'nl', 'nz', 'pe', 'pk', 'pt', 'ro', 'ru', 'sa', 'se', 'sg', 'si', 'sk', 'tk',
      'tr', 'tv', 'tw', 'ua', 'ug', 'uk', 'uy', 'vn', 'ws', 'za',
    ],
    'capitals': [
      'ac', 'ai', 'ar', 'ca', 'co', 'eu', 'fm', 'ge', 'hk', 'io', 'net', 'nz', 'pe', 'pt', 'sa', 'tv', 'uk',
    ],
    'words': [
      'al', 'am', 'as', 'at', 'be', 'by', 'cc', 'do', 'gg', 'hr', 'id', 'ie', 'il', 'im', 'in', 'is', 'it', 'la',
      'lt', 'ma', 'md', 'me', 'mp', 'ms', 'my', 'no', 'ph', 'pl', 'pm', 'pr', 'rs', 'sc', 'sh', 'so', 'st', 'th',
      'to', 'us', 'vc',
      'app', 'art', 'blog', 'cloud', 'club', 'dev', 'info', 'int', 'link', 'live', 'name', 'news', 'one', 'online',
      'page', 'pro', 'shop', 'site', 'store', 'tech', 'world', 'xxx', 'xyz',
    ],
  }) }}
{% endmacro %}
