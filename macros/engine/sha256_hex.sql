{# SHA-256 of the UTF-8 bytes of a text: 64 lower-case hex digits, short enough to be indexed and grouped by. #}
{% macro sha256_hex(x) %}{{ return(adapter.dispatch('sha256_hex')(x)) }}{% endmacro %}

{% macro default__sha256_hex(x) %}{{ return('sha256(' ~ x ~ ')') }}{% endmacro %}

{% macro mariadb__sha256_hex(x) %}{{ return("cast(sha2(" ~ x ~ ", 256) as char(64))") }}{% endmacro %}

{% macro mysql__sha256_hex(x) %}{{ return(mariadb__sha256_hex(x)) }}{% endmacro %}
