{#
  A cleaned text with a mark before and after each link, written { and } here. All rules about links read this one marking:
  link_rows() lists the links, without_links() removes them.

  | x                                   | mark_links(x)                          |
  | see https://t.co/abc123XYZ0.        | see {https://t.co/abc123XYZ0}.         |
  | (http://x.org/a_(b)) or www.x.org!  | ({http://x.org/a_(b)}) or {www.x.org}! |
  | a@example.com, node.js, example.com | a@example.com, node.js, {example.com}  |
  | x.org:443/a, x.org:0, http://x.org/# | {x.org:443/a}, x.org:0, {http://x.org/}# |
  | {U+0445}.{U+0440}{U+0444}, 1.{U+4E2D}{U+56FD} | {{U+0445}.{U+0440}{U+0444}}, 1.{U+4E2D}{U+56FD} |

  A text of more than 32,767 characters (8,192 on MariaDB) is marked in pieces. It is cut where no link can be:
  before white space and before the East Asian comma and full stop. A piece that is still longer is left alone (see
  links_too_long).
#}
{% macro mark_links(x) %}{{ return(adapter.dispatch('mark_links')(x)) }}{% endmacro %}

{% macro default__mark_links(x) %}
  {{ return(marked_in_pieces(x, 'array_to_string(list_transform(string_split(', 'lambda piece:')) }}
{% endmacro %}

{% macro spark__mark_links(x) %}{{ return(marked_in_pieces(x, 'array_join(transform(split(', 'piece ->')) }}{% endmacro %}

{# `cut` opens the functions that cut a text, change each piece and join them; `each` opens the change of a piece. #}
{% macro marked_in_pieces(x, cut, each) %}
  {% set piece = 'case when not ' ~ piece_is_too_long('piece') ~ ' and ' ~ may_hold_links('piece') ~ ' then '
    ~ marked_piece('piece') ~ ' else ' ~ without_text_marks('piece') ~ ' end' %}
  {{ return('case when not ' ~ may_hold_links(x) ~ ' then ' ~ x
    ~ ' when length(' ~ x ~ ') <= 32767 then ' ~ marked_piece(between_text_marks(x))
    ~ ' else ' ~ cut ~ cut_in_pieces(between_text_marks(x)) ~ ", '" ~ link_marks().cut ~ "'), " ~ each ~ ' ' ~ piece
    ~ "), '') end") }}
{% endmacro %}

{#
  The pieces are joined as JSON, because group_concat has a limit of length and json_objectagg has none.
  MariaDB's regexp_replace is quadratic in the matches, so texts of more than 8,192 characters are marked in pieces.
#}
{% macro mariadb__mark_links(x, longest=8192) %}
  {% set mark, piece = link_marks(), exact_text('pieces.piece') %}
  {% set marked = 'case when ' ~ piece_is_too_long(piece) ~ ' or not ' ~ may_hold_links(piece) ~ ' then '
    ~ without_text_marks(piece) ~ ' else ' ~ marked_piece(piece) ~ ' end' %}
  {{ return('case when not ' ~ may_hold_links(x) ~ ' then ' ~ x
    ~ ' when char_length(' ~ x ~ ') <= ' ~ longest ~ ' then ' ~ marked_piece(between_text_marks(x))
    ~ ' else ' ~ joined_pieces(x, marked) ~ ' end') }}
{% endmacro %}

{% macro mysql__mark_links(x) %}{{ return(mariadb__mark_links(x, 32767)) }}{% endmacro %}


{# On the servers, the pieces of a text joined again, each changed by an expression of pieces.piece. #}
{% macro joined_pieces(x, changed) %}
  {{ return(exact_text('(select ' ~ json_values_joined('json_objectagg(pieces.piece_number, ' ~ changed ~ ')') ~ ' from '
    ~ pieces_of(x) ~ ')')) }}
{% endmacro %}

{% macro pieces_of(x) %}{{ return(json_rows(cut_in_pieces(between_text_marks(x)))) }}{% endmacro %}

{# A text with a cut mark before white space and before the East Asian comma and full stop. #}
{% macro cut_in_pieces(x) %}{{ return(adapter.dispatch('cut_in_pieces')(x)) }}{% endmacro %}

{% macro default__cut_in_pieces(x) %}
  {% set pairs = [] %}
  {% for character in piece_ends() %}{% do pairs.append((character, link_marks().cut ~ character)) %}{% endfor %}
  {{ return(replace_marks(x, pairs)) }}
{% endmacro %}

{# Few cuts, because its replace() is quadratic: around a run that is too long, and after every 8,192 characters. #}
{% macro mariadb__cut_in_pieces(x) %}
  {% set mark, ends = link_marks(), piece_ends() | join %}
  {% set around = regex_replace(x,
    '([' ~ ends ~ mark.text_begin ~ '])([^' ~ ends ~ mark.text_end ~ ']{32768}[^' ~ ends ~ ']*)',
    [1, mark.cut, mark.too_long, 2, mark.cut]) %}
  {{ return(regex_replace(around, '([^' ~ mark.cut ~ ']{8192}[^' ~ ends ~ mark.cut ~ ']*)', [1, mark.cut])) }}
{% endmacro %}

{# Its patterns cannot count that far in a long text. #}
{% macro mysql__cut_in_pieces(x) %}{{ return(default__cut_in_pieces(x)) }}{% endmacro %}

{% macro piece_is_too_long(piece) %}{{ return(adapter.dispatch('piece_is_too_long')(piece)) }}{% endmacro %}

{# One character more than the limit, because the cut is before a character that belongs to no run. #}
{% macro default__piece_is_too_long(piece) %}
  {{ return('char_length(replace(' ~ piece ~ ", '" ~ link_marks().text_end ~ "', '')) > 32768") }}
{% endmacro %}

{% macro mariadb__piece_is_too_long(piece) %}
  {{ return('left(' ~ piece ~ ", 1) = '" ~ link_marks().too_long ~ "'") }}
{% endmacro %}

{% macro mysql__piece_is_too_long(piece) %}{{ return(default__piece_is_too_long(piece)) }}{% endmacro %}

{% macro piece_ends() %}
  {{ return([' ', '%c' | format(0x0A), '%c' | format(0x3001), '%c' | format(0x3002), '%c' | format(0xFF0C)]) }}
{% endmacro %}

{#
  The steps, the same on all engines, as [name, SQL]; link_patterns() has the patterns. One text on its way, with the names
  of link_marks() in braces (in all other tables, {begin} and {end} are { and }):

  | step     | https://x.org, to.me&gt; |
  | whole    | {text_begin}https://x.org, to.me&gt;{stop} |
  | schemes  | {text_begin}{scheme}https://x.org, to.me&gt;{stop} |
  | inner    | {text_begin}{scheme}https://x.org, to.me&gt;{stop} |
  | entities | {text_begin}{scheme}https://x.org, to.me{stop}&gt;{stop} |
  | words    | {text_begin}{scheme}https://{host}x.{last_label}org{host_end}, {host}to.{last_label}me{host_end}{stop}&gt;{stop} |
  | known    | {text_begin}{scheme}https://{host}x.{last_label}org{known}{host_end}, {host}to.{last_label}me{known}{host_end}{stop}&gt;{stop} |
  | english  | {text_begin}{scheme}https://{host}x.{last_label}org{known}{host_end}, {host}to.{last_label}me{host_end}{stop}&gt;{stop} |
  | slashes  | {text_begin}{scheme}https://{slash_host}x.{last_label}org{known}{host_end}, {host}to.{last_label}me{host_end}{stop}&gt;{stop} |
  | links    | {text_begin}{begin}{scheme}https://{slash_host}x.{last_label}org{known}{host_end}{end}, {host}to.{last_label}me{host_end}{stop}&gt;{stop} |
  | trimmed  | {begin}https://x.org{end}, to.me&gt; |
#}
{% macro marking_steps(x, international=false) %}
  {% set mark, pattern, tld = link_marks(), link_patterns(), top_level_domains() %}
  {# Patterns look at the character behind a label or an entity, so a piece of a long text needs an end mark, too. #}
  {% set whole = replace_marks("concat('" ~ mark.text_begin ~ "', " ~ x ~ ", '" ~ mark.stop ~ "')",
    [('[', mark.open), (']', mark.close)]) %}
  {% set schemes = regex_replace(whole, pattern.scheme, [mark.scheme, 1]) %}
  {# The host of https://pic.x.com/a begins no link of its own. #}
  {% set inner = replace_marks(regex_replace(schemes, pattern.scheme_within, [1, mark.inner_scheme]),
    [('://' ~ mark.inner_scheme ~ 'pic.', '://pic.')]) %}
  {% set entities = regex_replace(inner, pattern.entity, [mark.stop, 1]) %}
  {% if international %}
    {% set asian = regex_replace(entities, pattern.asian_word,
      [1, 3, mark.host, mark.maybe, 2, 4, 5, mark.last_label, 6, mark.host_end]) %}
    {% set entities = regex_replace(known_labels(asian, tld.east_asian), pattern.asian_host, [1, 2, 3, 4]) %}
  {% endif %}
  {% set words = regex_replace(entities, pattern.dotted_word, [1, mark.host, 2, mark.last_label, 3, mark.host_end]) %}
  {% if international %}{% set words = known_labels(words, tld.international) %}{% endif %}
  {% set lower = regex_replace(words, pattern.known_label, [mark.last_label, 1, mark.known, mark.host_end]) %}
  {% set known = regex_replace(lower, pattern.known_capitals, [mark.last_label, 1, mark.known, mark.host_end]) %}
  {% set english = regex_replace(known, pattern.english_word, [mark.last_label, 1, 2, 3, 4, 5]) %}
  {% set slashes = replace_marks(english, [('/' ~ mark.host, '/' ~ mark.slash_host)]) %}
  {% set links = regex_replace(slashes, pattern.link, [mark.begin, 1, mark.end]) %}
  {% set helpers = [] %}
  {% for name in ['text_begin', 'text_end', 'scheme', 'inner_scheme', 'stop', 'host', 'slash_host', 'last_label',
      'known', 'host_end'] %}{% do helpers.append((mark[name], '')) %}{% endfor %}
  {% set trimmed = replace_marks(
    regex_replace(replace_marks(links, helpers), pattern.trailing_part, [1, mark.begin, 2, 4, mark.end, 3, 5]),
    [(mark.open, '['), (mark.close, ']')]) %}
  {{ return([('whole', whole), ('schemes', schemes), ('inner', inner), ('entities', entities), ('words', words),
    ('known', known), ('english', english), ('slashes', slashes), ('links', links), ('trimmed', trimmed)]) }}
{% endmacro %}

{# A text without pieces, after all steps. Only a text with a dot before an initial of an international top-level domain
   takes the steps for these; the pattern has one match, because MariaDB's regexp_replace is quadratic in the matches. #}
{% macro marked_piece(x) %}
  {% set tld = top_level_domains() %}
  {% set initials = (tld.international + tld.east_asian) | map('first') | unique(true) | join %}
  {% set up_to_dot = regex_replace(x, '[.][' ~ initials ~ '][^' ~ link_marks().begin ~ ']*', ['']) %}
  {{ return('case when char_length(' ~ up_to_dot ~ ') < char_length(' ~ x ~ ') then '
    ~ (marking_steps(x, true) | last)[1] ~ ' else ' ~ (marking_steps(x) | last)[1] ~ ' end') }}
{% endmacro %}

{# A mark behind these last labels. Not a pattern, because MySQL limits the alternatives that it tries in one text. #}
{% macro known_labels(x, labels) %}
  {% set mark, changes = link_marks(), [] %}
  {% for label in labels %}
    {% set found = ", '" ~ mark.last_label ~ label %}
    {% do changes.append(found ~ mark.host_end ~ "'" ~ found ~ mark.known ~ mark.host_end ~ "')") %}
  {% endfor %}
  {{ return('replace(' * labels | length ~ x ~ changes | join) }}
{% endmacro %}

{% macro between_text_marks(x) %}
  {{ return("concat('" ~ link_marks().text_begin ~ "', " ~ x ~ ", '" ~ link_marks().text_end ~ "')") }}
{% endmacro %}

{% macro without_text_marks(x) %}
  {% set mark = link_marks() %}
  {{ return(replace_marks(x, [(mark.text_begin, ''), (mark.text_end, ''), (mark.too_long, '')])) }}
{% endmacro %}

{# A cheap test: every link has a dot, a colon with a slash, or the ellipsis that cuts off a tweet. #}
{% macro may_hold_links(x) %}
  {{ return('(' ~ x ~ " like '%.%' or " ~ x ~ " like '%:/%' or " ~ x ~ " like '%" ~ '%c' | format(0x2026) ~ "%')") }}
{% endmacro %}
