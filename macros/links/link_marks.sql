{#
  The marks of the link rules, by name. They are noncharacters, which clean() has deleted from every text.
  Only begin and end are left in a marked text; the others help while it is being marked.
#}
{% macro link_marks() %}
  {% set code_points = {
    'begin':        0xFDD0, 'end':        0xFDD1, 'text_begin': 0xFDD2, 'text_end': 0xFDD3,
    'scheme':       0xFDD4, 'inner_scheme': 0xFDD5,
    'host':         0xFDD6, 'slash_host': 0xFDD7, 'last_label': 0xFDD8, 'known':    0xFDD9, 'host_end': 0xFDDA,
    'stop':         0xFDDB, 'open':       0xFDDC, 'close':      0xFDDD, 'cut':        0xFDDE, 'too_long':   0xFDDF,
  } %}
  {% set marks = {} %}
  {% for name, code in code_points.items() %}{% do marks.update({name: '%c' | format(code)}) %}{% endfor %}
  {{ return(marks) }}
{% endmacro %}
