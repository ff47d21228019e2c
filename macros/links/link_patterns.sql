{#
  The patterns of the link rules, the same for all engines, built from named parts. They use only what RE2, PCRE2, ICU and
  java.util.regex read in the same way: no backslash, no look-around, no \w or $, no [ or && in a class. No loop can match
  the same characters in two ways, so that the time for each pattern is proportional to the length of the text.
#}
{% macro link_patterns() %}
  {% set mark = link_marks() %}
  {% set ellipsis, en_dash, joiners = '%c' | format(0x2026), '%c' | format(0x2013), '%c%c' | format(0x200C, 0x200D) %}
  {% set lf = '%c' | format(10) %}

  {# Characters. A class that holds a hyphen begins with it. #}
  {% set alnum = 'A-Za-z0-9' %}
  {% set letter = 'A-Za-z' ~ class_of(letter_ranges()) %}
  {% set word = '0-9' ~ letter %}
  {% set cjk = class_of(cjk_ranges()) %}
  {% set symbol = class_of(host_symbol_ranges()) %}
  {# Marks inside a link that marking_steps removes at the end. #}
  {% set noise = mark.inner_scheme ~ mark.host ~ mark.slash_host ~ mark.last_label ~ mark.known
    ~ mark.host_end %}
  {% set path_character = "-!#$%&'*+,./:;=?@^_|~" ~ word ~ en_dash ~ joiners ~ noise %}
  {# The characters that a link does not end in. #}
  {% set trailing = ".,!?:;'*~#@" ~ en_dash ~ joiners %}

  {# 1. The beginnings of links with a scheme: http:// and similar, the part of it that a cut-off tweet keeps, Twitter's pictures. #}
  {% set http = '[hH][tT][tT][pP]' %}
  {% set scheme = '(' ~ [
    http ~ '[sS]?://',
    '[fF][tT][pP]://',
    '[hH][tT][tT](?:[pP](?:[sS]?(?::/?)?))?' ~ ellipsis,
    http ~ '[sS]?:/' ~ mark.text_end,
    'pic[.](?:twitter|x)[.]com/',
  ] | join('|') ~ ')' %}
  {# A link within a link: web.archive.org/web/2020/https://example.com is one link. #}
  {% set scheme_within = '([/=?&:#@!])' ~ mark.scheme %}

  {# 2. Entities that end a link although their characters could belong to it: those that clean() left, and any at a word's end. #}
  {% set entity = '(&(?:[gl]t|quot|apos|nbsp|#39|#34|#x27|#x22);|&[A-Za-z]{2,8};[ ' ~ lf ~ mark.text_end ~ mark.stop ~ '])' %}

  {# 3. Words with a dot inside. They are matched whole, with the character before them, so that later patterns need not look
     around; an e-mail address is one word. #}
  {% set in_word = '_@+' ~ word %}
  {# The character before a word; {host} is before words that an earlier pattern found. #}
  {% set before = '[^-.#$%' ~ in_word ~ mark.scheme ~ mark.inner_scheme ~ mark.host %}
  {% set dotted_word = '(' ~ before ~ '])([-' ~ in_word ~ '][-.' ~ in_word ~ ']*[.])([-' ~ in_word ~ ']{2,})' %}
  {# The same with an East Asian last label, which includes all that follows it without a space; found first. The other
     labels begin with a letter, and those with East Asian letters end in one: `1.` before a name is a number in a list.
     Words that do not end in a top-level domain lose their marks. #}
  {% set latin_label = '[' ~ letter ~ '][-' ~ word ~ ']*[.]' %}
  {% set asian_label = '[' ~ cjk ~ '](?:[-0-9' ~ cjk ~ ']*[' ~ cjk ~ '])?[.]' %}
  {% set asian_word = '(?:(' ~ before ~ '])(' ~ latin_label ~ ')|(' ~ before ~ cjk ~ '])(' ~ asian_label ~ '))'
    ~ '((?:' ~ latin_label ~ '|' ~ asian_label ~ '){0,7})'
    ~ '([' ~ cjk ~ '](?:[-.' ~ in_word ~ cjk ~ ']*[-' ~ in_word ~ cjk ~ '])?)' %}
  {% set to_end = '[^' ~ mark.host_end ~ ']*' %}
  {% set asian_host = '(' ~ mark.host ~ ')' ~ mark.maybe ~ '(' ~ to_end ~ mark.known ~ mark.host_end ~ ')|'
    ~ mark.host ~ mark.maybe ~ '([^' ~ mark.last_label ~ ']*)' ~ mark.last_label ~ '(' ~ to_end ~ ')' ~ mark.host_end %}

  {# 4. Their last labels: a mark behind each top-level domain, removed again behind an English word without a path.
     Three patterns, because MySQL limits the alternatives that it tries in one text. Before a port outside 1 to 65535, the
     mark behind the host is removed: without it, only a scheme makes the host a link. #}
  {% set tld = top_level_domains() %}
  {% set known_label = mark.last_label ~ '(' ~ any_of(tld.plain + tld.words) ~ ')' ~ mark.host_end %}
  {% set known_capitals = mark.last_label ~ '(' ~ any_of((tld.plain + tld.words) | map('upper')) ~ ')' ~ mark.host_end %}
  {% set english = any_of(tld.words) ~ '|' ~ any_of((tld.words + tld.capitals) | map('upper')) %}
  {% set no_port = mark.host_end ~ '(:' ~ mark.host ~ '?0*(?:0|[1-9][0-9]{5,}|[7-9][0-9]{4}|6[6-9][0-9]{3}|65[6-9][0-9]{2}'
    ~ '|655[4-9][0-9]|6553[6-9])[^0-9])' %}
  {% set english_word = mark.last_label ~ '(?:(' ~ english ~ ')' ~ mark.known
    ~ '(?:' ~ no_port ~ '|(' ~ mark.host_end ~ '[^/]))|(' ~ to_end ~ ')' ~ no_port ~ ')' %}

  {# 5. The links. Parts of one: #}
  {% set at_host = '[' ~ mark.host ~ mark.slash_host ~ ']' %}
  {% set user = "(?:[-A-Za-z0-9._~%!$&'*+,;=:" ~ noise ~ ']+@)?' %}
  {% set latin_host = '[' ~ word ~ '][-._' ~ word ~ mark.last_label ~ mark.known ~ ']*' %}
  {% set cjk_host = '[' ~ cjk ~ '][-._' ~ word ~ cjk ~ noise ~ ']*' %}
  {# In dotted_word, the last label has two characters or more: 192.168.0.1 is marked as 192.168, then .0.1. #}
  {% set rest_of_host = '(?:' ~ mark.host_end ~ '(?:[.][' ~ word ~ ']){0,32})?' %}
  {# Only the first label may mix scripts, so that text in another script behind example.com is not part of the host. #}
  {% set first_label = '[' ~ word ~ cjk ~ symbol ~ '][-_' ~ word ~ cjk ~ symbol ~ noise ~ ']*[.]'
    ~ mark.last_label ~ '?' ~ mark.known ~ '?' %}
  {% set host = '(?:' ~ [
    first_label ~ '(?:' ~ latin_host ~ '[.]' ~ mark.last_label ~ '?' ~ cjk_host ~ '|' ~ latin_host ~ '|' ~ cjk_host ~ ')',
    latin_host,
    mark.open ~ '[0-9A-Fa-f:.' ~ noise ~ ']+' ~ mark.close,
  ] | join('|') ~ ')' ~ rest_of_host %}
  {# A path may have pairs of brackets; round ones may be nested. Between them: no white space, quote, <, >, bracket of the
     same kind, East Asian text or emoji, and nothing that ends a link. #}
  {% set in_bracket = '[^ "<>`' ~ lf ~ ellipsis ~ mark.scheme ~ mark.stop ~ mark.text_end ~ '%c-%c%c-%c%c-%c%c-%c' | format(
    0x3000, 0xA4CF, 0xAC00, 0xFB00, 0xFE30, 0xFFEF, 0x10000, 0x10FFFF) %}
  {% set round = in_bracket ~ '()]*' %}
  {% set pair = '(?:' ~ [
    '[(]' ~ round ~ '(?:[(]' ~ round ~ '[)]' ~ round ~ '){0,4}[)]',
    mark.open ~ in_bracket ~ mark.open ~ mark.close ~ ']*' ~ mark.close,
    '[{]' ~ in_bracket ~ '{}]*[}]',
  ] | join('|') ~ ')' %}
  {% set path = '(?:[/?#][' ~ path_character ~ ']*(?:' ~ pair ~ '[' ~ path_character ~ ']*){0,16})?' %}
  {# Labels before the last one, at most eight in a host without a scheme. #}
  {% set any_label = '[' ~ word ~ cjk ~ '][-' ~ word ~ cjk ~ ']*' %}
  {% set labels = '(?:' ~ any_label ~ '[.]){1,8}' ~ mark.last_label %}
  {% set short_path = '/' ~ mark.slash_host ~ '?[' ~ alnum ~ ']+'
    ~ '(?:[?][' ~ alnum ~ '_]+=[-_%&=' ~ alnum ~ ']*(?:#[' ~ alnum ~ ']+)?)?' %}
  {% set t_co = '[tT][.]' ~ mark.last_label ~ '?[cC][oO]' ~ mark.known ~ '?' ~ mark.host_end ~ '?' %}

  {% set shorts = [
    '[A-Za-z]{4,5}://' ~ at_host ~ '?' ~ t_co ~ '(?:' ~ short_path ~ '|/)',
    'pic[.][a-z]+[.]com' ~ short_path,
    '[A-Za-z]{3,5}:?/{0,2}(?:' ~ mark.text_end ~ '|' ~ ellipsis ~ ')',
  ] | join('|') %}
  {% set at_scheme = '[' ~ mark.scheme ~ mark.inner_scheme ~ ']' %}
  {% set www = '[wW][wW][wW][.](?:[' ~ word ~ cjk ~ '][-_' ~ word ~ cjk ~ ']*[.]){1,8}' ~ mark.last_label
    ~ mark.known ~ '?[' ~ letter ~ cjk ~ '][-' ~ word ~ cjk ~ ']+' ~ mark.known ~ '?' ~ mark.host_end %}
  {% set hosts = [
    at_scheme ~ '[A-Za-z]{3,5}://' ~ at_host ~ '?' ~ user ~ at_host ~ '?' ~ host,
    at_host ~ www,
  ] %}
  {% if var('bare_links', true) %}
    {% do hosts.append(mark.host ~ labels ~ any_label ~ mark.known ~ mark.host_end) %}
  {% endif %}
  {% set link = '((?:' ~ [
    at_scheme ~ '(?:' ~ shorts ~ ')',
    at_host ~ t_co ~ short_path,
    '(?:' ~ hosts | join('|') ~ ')(?::[0-9]*)?' ~ path,
  ] | join('|') ~ ')' ~ ellipsis ~ '?)' %}

  {# 6. The end of a link that does not belong to it; also an underscore if one is directly before the link. #}
  {% set inside = '[^' ~ mark.begin ~ mark.end ~ ']*' %}
  {% set trailing_part =
    '(_)' ~ mark.begin ~ '(' ~ inside ~ '[^_' ~ trailing ~ mark.begin ~ mark.end ~ '])([_' ~ trailing ~ ']*)' ~ mark.end ~ '|'
    ~ mark.begin ~ '(' ~ inside ~ '[^' ~ trailing ~ mark.begin ~ mark.end ~ '])([' ~ trailing ~ ']*)' ~ mark.end %}

  {{ return({'scheme': scheme, 'scheme_within': scheme_within, 'entity': entity, 'dotted_word': dotted_word,
    'asian_word': asian_word, 'asian_host': asian_host, 'known_label': known_label, 'known_capitals': known_capitals,
    'english_word': english_word, 'link': link, 'trailing_part': trailing_part}) }}
{% endmacro %}


{# A pattern for any of these labels, with one alternative for each first letter, to have few alternatives. #}
{% macro any_of(labels) %}
  {% set alternatives = [] %}
  {% for first, group in labels | sort | groupby(0) %}
    {% set second, longer = [], [] %}
    {% for label in group %}{% do (second if label | length == 2 else longer).append(label[1:]) %}{% endfor %}
    {% set rest = (['[' ~ second | join ~ ']'] if second else []) + longer %}
    {% do alternatives.append(first ~ ('(?:' ~ rest | join('|') ~ ')' if rest | length > 1 else rest[0])) %}
  {% endfor %}
  {{ return(alternatives | join('|')) }}
{% endmacro %}

{# Ranges of code points as the inside of a character class. #}
{% macro class_of(ranges) %}
  {% set parts = [] %}
  {% for first, last in ranges %}{% do parts.append('%c-%c' | format(first, last)) %}{% endfor %}
  {{ return(parts | join) }}
{% endmacro %}

{# Letters, digits and combining marks beyond ASCII that may be in a host or path: of all scripts except the East Asian ones,
   without punctuation. #}
{% macro letter_ranges() %}
  {{ return([
    (0x00C0, 0x00D6), (0x00D8, 0x00F6), (0x00F8, 0x036F), (0x0370, 0x037D), (0x037F, 0x0386), (0x0388, 0x0559),
    (0x0560, 0x0588), (0x0591, 0x05BD), (0x05C1, 0x05C2), (0x05D0, 0x05F2), (0x0610, 0x061A), (0x0620, 0x0669),
    (0x066E, 0x06D3), (0x06D5, 0x06DC), (0x06DF, 0x06FF), (0x0710, 0x07F6), (0x0800, 0x082D), (0x0840, 0x085B),
    (0x0860, 0x0963), (0x0966, 0x096F), (0x0971, 0x0DF3), (0x0E01, 0x0E3A), (0x0E40, 0x0E4E), (0x0E50, 0x0E59),
    (0x0E81, 0x0EFF), (0x0F20, 0x0F33), (0x0F3E, 0x0FBC), (0x1000, 0x1049), (0x1050, 0x10FA), (0x10FC, 0x10FF),
    (0x1200, 0x135F), (0x1380, 0x13FF), (0x1401, 0x166C), (0x166F, 0x167F), (0x1681, 0x169A), (0x16A0, 0x16EA),
    (0x1700, 0x1734), (0x1740, 0x17D3), (0x17E0, 0x17E9), (0x1810, 0x1AAD), (0x1AB0, 0x1FFF), (0x2C00, 0x2CF3),
    (0x2D00, 0x2D6F), (0x2D7F, 0x2DFF), (0xA4D0, 0xA4FD), (0xA500, 0xA60C), (0xA610, 0xA6EF), (0xA717, 0xA95E),
    (0xA980, 0xABFF), (0xFB00, 0xFB4F), (0xFB50, 0xFD3D), (0xFD50, 0xFDCF), (0xFE70, 0xFEFC),
  ]) }}
{% endmacro %}

{# East Asian letters: part of a host that begins with them, never of a path, because text follows a link without a space. #}
{% macro cjk_ranges() %}
  {{ return([
    (0x1100, 0x11FF), (0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x3029), (0x3041, 0x309F), (0x30A1, 0x30FA),
    (0x30FC, 0x318E), (0x31A0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA960, 0xA97F), (0xAC00, 0xD7FB),
    (0xF900, 0xFAFF), (0xFF66, 0xFF9F), (0x20000, 0x3FFFD),
  ]) }}
{% endmacro %}

{# Symbols of registered hosts, such as U+27A1 and U+272A; only in the first label, directly after ://. #}
{% macro host_symbol_ranges() %}{{ return([(0x2190, 0x23FF), (0x2500, 0x2BFF), (0x1F000, 0x1FAFF)]) }}{% endmacro %}
