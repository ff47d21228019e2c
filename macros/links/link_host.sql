{#
  The host of a link: no scheme, user or port, ASCII letters in lower case. Null where a cut-off link has none.

  | url                                 | link_host(url)  |
  | HTTPS://User:pw@Example.COM:8080/A  | example.com     |
  | www.Example.org/x                   | www.example.org |
  | https://t. (cut off)                | t               |
  | http (cut off)                      | null            |
#}
{% macro link_host(url) %}
  {% set mark = link_marks() %}
  {% set ends_host = ':/?#' ~ '%c' | format(0x2026) %}
  {% set host = '[^' ~ ends_host ~ ']*[^.' ~ ends_host ~ ']' %}
  {% set numbers = mark.open ~ '[^' ~ mark.close ~ ']*' ~ mark.close %}
  {# The rest of the link is dropped; one that fits neither form is all rest. #}
  {% set pattern = '^(?:[A-Za-z]{3,5}://(?:[^/?#@]*@)?(' ~ numbers ~ '|' ~ host ~ ')'
    ~ '|([^' ~ ends_host ~ ']*[.]' ~ host ~ '))?[^ ]*' %}
  {% set readable = replace_marks(url, [('[', mark.open), (']', mark.close)]) %}
  {% set found = regex_replace(readable, pattern, [1, 2]) %}
  {{ return("nullif(" ~ lower_ascii(replace_marks(found, [(mark.open, '['), (mark.close, ']')])) ~ ", '')") }}
{% endmacro %}


{# A to Z in lower case and nothing else: the engines' lower() disagree about letters beyond ASCII. #}
{% macro lower_ascii(x) %}{{ return(adapter.dispatch('lower_ascii')(x)) }}{% endmacro %}

{% macro default__lower_ascii(x) %}
  {{ return('translate(' ~ x ~ ", 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')") }}
{% endmacro %}

{% macro mariadb__lower_ascii(x) %}
  {% set pairs = [] %}
  {% for letter in 'ABCDEFGHIJKLMNOPQRSTUVWXYZ' %}{% do pairs.append((letter, letter | lower)) %}{% endfor %}
  {{ return(replace_marks(x, pairs)) }}
{% endmacro %}

{% macro mysql__lower_ascii(x) %}{{ return(mariadb__lower_ascii(x)) }}{% endmacro %}
