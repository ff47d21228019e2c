{#
  True if a text has a run of more than 32,767 characters without white space that may contain links. mark_links does
  not look for links in it on any engine. Shorter texts cost nothing.

  | x                                           | links_too_long(x) |
  | see http://a.org                            | false             |
  | see http://a.org/{32768 x a}                | true              |
  | see http://a.org/ {32767 x a} {32768 x b}   | false             |
#}
{% macro links_too_long(x) %}{{ return(adapter.dispatch('links_too_long')(x)) }}{% endmacro %}

{% macro default__links_too_long(x) %}
  {{ return('case when length(' ~ x ~ ') <= 32767 then false else len(list_filter(string_split('
    ~ cut_in_pieces(between_text_marks(x)) ~ ", '" ~ link_marks().cut ~ "'), lambda piece: "
    ~ piece_is_too_long('piece') ~ ' and ' ~ may_hold_links('piece') ~ ')) > 0 end') }}
{% endmacro %}

{% macro spark__links_too_long(x) %}
  {{ return('case when length(' ~ x ~ ') <= 32767 then false else exists(split('
    ~ cut_in_pieces(between_text_marks(x)) ~ ", '" ~ link_marks().cut ~ "'), piece -> "
    ~ piece_is_too_long('piece') ~ ' and ' ~ may_hold_links('piece') ~ ') end') }}
{% endmacro %}

{% macro mariadb__links_too_long(x) %}
  {% set piece = exact_text('pieces.piece') %}
  {{ return('case when char_length(' ~ x ~ ') <= 32767 then false else exists (select 1 from ' ~ pieces_of(x) ~ ' where '
    ~ piece_is_too_long(piece) ~ ' and ' ~ may_hold_links(piece) ~ ') end') }}
{% endmacro %}

{% macro mysql__links_too_long(x) %}{{ return(mariadb__links_too_long(x)) }}{% endmacro %}
