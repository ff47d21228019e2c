{#
  SHA-256 of the UTF-8 bytes of a text as 64 hex digits, short enough for an index or a group by.

  | x        | sha256_hex(x)                                                    |
  |          | e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 |
  | {U+00E9} | 4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c |
#}
{% macro sha256_hex(x) %}{{ return(adapter.dispatch('sha256_hex')(x)) }}{% endmacro %}

{% macro default__sha256_hex(x) %}{{ return('sha256(' ~ x ~ ')') }}{% endmacro %}

{% macro spark__sha256_hex(x) %}{{ return('sha2(' ~ x ~ ', 256)') }}{% endmacro %}

{% macro mariadb__sha256_hex(x) %}{{ return("cast(sha2(" ~ x ~ ", 256) as char(64))") }}{% endmacro %}

{% macro mysql__sha256_hex(x) %}{{ return(mariadb__sha256_hex(x)) }}{% endmacro %}
