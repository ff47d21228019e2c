{#
  A stored text, cleaned for reading. Apply it once: a second time would change &lt; again.
  (a) U+0080 to U+009F mean windows-1252         (b) eight HTML entities are decoded once    (c) CR LF and CR become LF
  (d) controls and noncharacters are removed     (e)-(g) as in tidy_spaces

  | x                      | clean(x)             |
  | it{U+0092}s &amp;lt;   | it{U+2019}s &lt;     |
  | a{tab}{tab}b {CR}{LF}c | a b{LF}c             |
  | {U+FEFF}a{U+FDD0}b&nbsp; | ab                 |
#}
{% macro clean(x) %}{{ return(adapter.dispatch('clean')(x)) }}{% endmacro %}

{% macro default__clean(x) %}
  {% set codes = cp1252_characters() %}
  {% set before, after, undefined = [], [], [] %}
  {% for code in codes %}
    {% if codes[code] is none %}{% do undefined.append(uchar(code)) %}
    {% else %}{% do before.append(uchar(code)) %}{% do after.append(uchar(codes[code])) %}{% endif %}
  {% endfor %}
  {% set deleted = [] %}
  {% for code in deleted_characters() %}{% do deleted.append(uchar(code)) %}{% endfor %}
  {% set decoded = decode_entities('translate(' ~ x ~ ', concat(' ~ (before + undefined) | join(', ')
    ~ '), concat(' ~ after | join(', ') ~ '))') %}
  {{ return(tidy_spaces('translate(' ~ unix_line_ends(decoded) ~ ', concat(' ~ deleted | join(', ') ~ "), '')")) }}
{% endmacro %}

{# Most texts need few changes: the tests avoid a hundred replace() for them. x appears up to six times. #}
{% macro mariadb__clean(x) %}
  {% set restored, deleted = [], [] %}
  {% for code, meant in cp1252_characters().items() %}
    {% do restored.append((uchar(code), "''" if meant is none else uchar(meant))) %}
  {% endfor %}
  {% for code in deleted_characters() %}{% do deleted.append((uchar(code), "''")) %}{% endfor %}
  {% set short_chain = tidy_spaces(unix_line_ends(decode_entities(x))) %}
  {% set long_chain = tidy_spaces(replace_each(unix_line_ends(decode_entities(replace_each(x, restored))), deleted)) %}
  {{ return(
    'case when ' ~ has_rare_characters(x) ~ ' then ' ~ long_chain
    ~ ' when ' ~ x ~ " regexp concat('[&', char(9 using utf8mb4), char(10 using utf8mb4), char(13 using utf8mb4), ']|  ')"
    ~ ' or left(' ~ x ~ ", 1) = ' ' or right(" ~ x ~ ", 1) = ' ' then " ~ short_chain
    ~ ' else ' ~ x ~ ' end') }}
{% endmacro %}

{% macro mysql__clean(x) %}{{ return(mariadb__clean(x)) }}{% endmacro %}


{# The entities of rule (b); &amp; is the last, so that &amp;lt; becomes &lt; and not <. #}
{% macro decode_entities(x) %}
  {{ return(replace_each(x, [
    ("'&lt;'", "'<'"), ("'&gt;'", "'>'"), ("'&quot;'", "'\"'"), ("'&#39;'", text_literal("'")), ("'&#x27;'", text_literal("'")),
    ("'&apos;'", text_literal("'")), ("'&nbsp;'", uchar(0xA0)), ("'&amp;'", "'&'")])) }}
{% endmacro %}

{% macro unix_line_ends(x) %}
  {% set cr, lf = uchar(13), uchar(10) %}
  {{ return(replace_each(x, [('concat(' ~ cr ~ ', ' ~ lf ~ ')', lf), (cr, lf)])) }}
{% endmacro %}

{# True if a text has a character that only the long chain changes: one outside the ranges between those characters. #}
{% macro has_rare_characters(x) %}
  {% set rare = cp1252_characters().keys() | list + deleted_characters() + space_characters() %}
  {% set ranges, first = [], namespace(code=0x20) %}
  {% for code in rare | reject('in', [9]) | sort + [0x110000] if code > 0x20 %}
    {% if code > first.code %}
      {% do ranges.append(uchar(first.code) ~ ", '-', " ~ uchar(code - 1)) %}
    {% endif %}
    {% set first.code = code + 1 %}
  {% endfor %}
  {{ return(x ~ " regexp concat('[^', char(9 using utf8mb4), char(10 using utf8mb4), char(13 using utf8mb4), "
    ~ ranges | join(', ') ~ ", ']')") }}
{% endmacro %}
