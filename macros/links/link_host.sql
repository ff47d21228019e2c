{#
  The host of a link, without scheme, user and port, with ASCII letters in lower case; null if the link was cut off before
  the end of its host.

  | url                                | link_host(url)  |
  | HTTPS://User:pw@Example.COM:8080/A | example.com     |
  | www.Example.org/x                  | www.example.org |
  | http://[::1]:8080/                 | [::1]           |
  | http://192.168.0.1/a               | 192.168.0.1     |
  | https://example.com/a{U+2026}      | example.com     |
  | https://example.co{U+2026}         | null            |
  | https://t.{U+2026}                 | null            |
  | http{U+2026}                       | null            |
#}
{% macro link_host(url) %}
  {% set mark = link_marks() %}
  {% set ends_host = ':/?#' ~ '%c' | format(0x2026) %}
  {% set host = '[^' ~ ends_host ~ ']*[^.' ~ ends_host ~ ']' %}
  {% set numbers = mark.open ~ '[^' ~ mark.close ~ ']*' ~ mark.close %}
  {# The rest of the link is dropped; a link of neither form is all rest. #}
  {% set pattern = '^(?:[A-Za-z]{3,5}://(?:[^/?#@]*@)?(' ~ numbers ~ '|' ~ host ~ ')'
    ~ '|([^' ~ ends_host ~ ']*[.]' ~ host ~ '))?[^ ]*' %}
  {% set readable = replace_marks(url, [('[', mark.open), (']', mark.close)]) %}
  {% set found = regex_replace(readable, pattern, [1, 2]) %}
  {% set cut_host = '^(?:[A-Za-z]{3,5}://)?[^/?#' ~ '%c' | format(0x2026) ~ ']*%c' | format(0x2026) %}
  {{ return('case when ' ~ regex_replace(url, cut_host, ['']) ~ " <> '' then nullif("
    ~ lower_ascii(replace_marks(found, [(mark.open, '['), (mark.close, ']')])) ~ ", '') end") }}
{% endmacro %}
