{#
  A cleaned text with each link between a begin and an end mark (written {} here). All that is said about links is
  read from this one marking: link_rows lists the spans, without_links drops them.

  | x                                   | mark_links(x)                          |
  | see https://t.co/abc123XYZ0.        | see {https://t.co/abc123XYZ0}.         |
  | (http://x.org/a_(b)) or www.x.org!  | ({http://x.org/a_(b)}) or {www.x.org}! |
  | a@example.com, node.js, example.com | a@example.com, node.js, {example.com}  |

  A text of more than 32,767 characters is marked in pieces, cut where no link can be: in front of white space and of
  the East Asian comma and full stop. A piece without any of them that is still longer is left alone (links_too_long).
#}
{% macro mark_links(x) %}{{ return(adapter.dispatch('mark_links')(x)) }}{% endmacro %}

{% macro default__mark_links(x) %}
  {% set piece = 'case when not ' ~ piece_is_too_long('piece') ~ ' and ' ~ may_hold_links('piece') ~ ' then ' ~ marking_steps('piece')
    ~ ' else ' ~ without_text_marks('piece') ~ ' end' %}
  {{ return('case when not ' ~ may_hold_links(x) ~ ' then ' ~ x
    ~ ' when length(' ~ x ~ ') <= 32767 then ' ~ marking_steps(between_text_marks(x))
    ~ ' else array_to_string(list_transform(string_split(' ~ cut_in_pieces(between_text_marks(x)) ~ ", '" ~ link_marks().cut
    ~ "'), lambda piece: " ~ piece ~ "), '') end") }}
{% endmacro %}

{#
  The pieces travel as JSON, in order: json_objectagg has no limit of length, and group_concat has.
  MariaDB's regexp_replace is quadratic in the matches, so it gets pieces of texts over 8,192 characters.
#}
{% macro mariadb__mark_links(x, longest=8192) %}
  {% set mark, piece = link_marks(), exact_text('pieces.piece') %}
  {% set marked = 'case when ' ~ piece_is_too_long(piece) ~ ' or not ' ~ may_hold_links(piece) ~ ' then '
    ~ without_text_marks(piece) ~ ' else ' ~ marking_steps(piece) ~ ' end' %}
  {{ return('case when not ' ~ may_hold_links(x) ~ ' then ' ~ x
    ~ ' when char_length(' ~ x ~ ') <= ' ~ longest ~ ' then ' ~ marking_steps(between_text_marks(x))
    ~ ' else ' ~ joined_pieces(x, marked) ~ ' end') }}
{% endmacro %}

{% macro mysql__mark_links(x) %}{{ return(mariadb__mark_links(x, 32767)) }}{% endmacro %}


{# The servers' text of a text's pieces, each changed by an expression of pieces.piece. #}
{% macro joined_pieces(x, changed) %}
  {{ return(exact_text('(select ' ~ json_values_joined('json_objectagg(pieces.piece_number, ' ~ changed ~ ')') ~ ' from '
    ~ pieces_of(x) ~ ')')) }}
{% endmacro %}

{% macro pieces_of(x) %}{{ return(json_rows(cut_in_pieces(between_text_marks(x)))) }}{% endmacro %}

{# A cut mark in front of white space, and of the East Asian comma and full stop. #}
{% macro cut_in_pieces(x) %}{{ return(adapter.dispatch('cut_in_pieces')(x)) }}{% endmacro %}

{% macro default__cut_in_pieces(x) %}
  {% set pairs = [] %}
  {% for character in piece_ends() %}{% do pairs.append((character, link_marks().cut ~ character)) %}{% endfor %}
  {{ return(replace_marks(x, pairs)) }}
{% endmacro %}

{# Few cuts, as its replace() is quadratic: around what is too long, then one after every 8,192 characters. #}
{% macro mariadb__cut_in_pieces(x) %}
  {% set mark, ends = link_marks(), piece_ends() | join %}
  {% set around = regex_replace(x,
    '([' ~ ends ~ mark.text_begin ~ '])([^' ~ ends ~ mark.text_end ~ ']{32768}[^' ~ ends ~ ']*)',
    [1, mark.cut, mark.too_long, 2, mark.cut]) %}
  {{ return(regex_replace(around, '([^' ~ mark.cut ~ ']{8192}[^' ~ ends ~ mark.cut ~ ']*)', [1, mark.cut])) }}
{% endmacro %}

{# Its patterns may not count that far in a long text. #}
{% macro mysql__cut_in_pieces(x) %}{{ return(default__cut_in_pieces(x)) }}{% endmacro %}

{% macro piece_is_too_long(piece) %}{{ return(adapter.dispatch('piece_is_too_long')(piece)) }}{% endmacro %}

{# The character more is the one that the cut is in front of. #}
{% macro default__piece_is_too_long(piece) %}{{ return('char_length(replace(' ~ piece ~ ", '" ~ link_marks().text_end ~ "', '')) > 32768") }}{% endmacro %}

{% macro mariadb__piece_is_too_long(piece) %}
  {{ return('left(' ~ piece ~ ", 1) = '" ~ link_marks().too_long ~ "'") }}
{% endmacro %}

{% macro mysql__piece_is_too_long(piece) %}{{ return(default__piece_is_too_long(piece)) }}{% endmacro %}

{% macro piece_ends() %}
  {{ return([' ', '%c' | format(0x0A), '%c' | format(0x3001), '%c' | format(0x3002), '%c' | format(0xFF0C)]) }}
{% endmacro %}

{# The steps, the same for all engines; link_patterns says what each pattern finds. #}
{% macro marking_steps(x) %}
  {% set mark, pattern = link_marks(), link_patterns() %}
  {# A piece of a long text must end in something, too: the patterns look at what follows a label or an entity. #}
  {% set whole = "concat('" ~ mark.text_begin ~ "', " ~ x ~ ", '" ~ mark.stop ~ "')" %}
  {% set readable = replace_marks(whole, [('[', mark.open), (']', mark.close)]) %}
  {% set schemes = regex_replace(readable, pattern.scheme, [mark.scheme, 1]) %}
  {% set inner = regex_replace(schemes, pattern.scheme_within, [1, mark.inner_scheme]) %}
  {# The host of https://pic.twitter.com/a begins no link of its own. #}
  {% set pictures = replace_marks(inner, [('://' ~ mark.inner_scheme ~ 'pic.', '://pic.')]) %}
  {% set entities = regex_replace(pictures, pattern.entity, [mark.stop, 1]) %}
  {% set words = regex_replace(entities, pattern.dotted_word, [1, mark.host, 2, mark.last_label, 3, mark.host_end]) %}
  {% set lower = regex_replace(words, pattern.known_label, [mark.last_label, 1, mark.known, mark.host_end]) %}
  {% set upper = regex_replace(lower, pattern.known_capitals, [mark.last_label, 1, mark.known, mark.host_end]) %}
  {% set known = regex_replace(upper, pattern.english_word, [mark.last_label, 1, mark.host_end, 2]) %}
  {% set slashes = replace_marks(known, [('/' ~ mark.host, '/' ~ mark.slash_host)]) %}
  {% set links = regex_replace(slashes, pattern.link, [mark.begin, 1, mark.end]) %}
  {% set helpers = [] %}
  {% for name in ['text_begin', 'text_end', 'scheme', 'inner_scheme', 'stop', 'host', 'slash_host', 'last_label',
      'known', 'host_end'] %}{% do helpers.append((mark[name], '')) %}{% endfor %}
  {% set bare = replace_marks(links, helpers) %}
  {% set trimmed = regex_replace(bare, pattern.trailing_part, [1, mark.begin, 2, 4, mark.end, 3, 5]) %}
  {{ return(replace_marks(trimmed, [(mark.open, '['), (mark.close, ']')])) }}
{% endmacro %}

{% macro between_text_marks(x) %}
  {{ return("concat('" ~ link_marks().text_begin ~ "', " ~ x ~ ", '" ~ link_marks().text_end ~ "')") }}
{% endmacro %}

{% macro without_text_marks(x) %}
  {% set mark = link_marks() %}
  {{ return(replace_marks(x, [(mark.text_begin, ''), (mark.text_end, ''), (mark.too_long, '')])) }}
{% endmacro %}

{# A cheap test: every link has a dot, a colon with a slash, or what cuts off a tweet. #}
{% macro may_hold_links(x) %}
  {{ return('(' ~ x ~ " like '%.%' or " ~ x ~ " like '%:/%' or " ~ x ~ " like '%" ~ '%c' | format(0x2026) ~ "%')") }}
{% endmacro %}

{# Nested replace() of pairs of Jinja strings. #}
{% macro replace_marks(x, pairs) %}
  {% set literals = [] %}
  {% for old, new in pairs %}{% do literals.append((text_literal(old), text_literal(new))) %}{% endfor %}
  {{ return(replace_each(x, literals)) }}
{% endmacro %}
