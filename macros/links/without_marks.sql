{# A marked text as it was before mark_links. #}
{% macro without_marks(marked) %}
  {{ return(replace_each(marked, [(uchar(0xFDD0), "''"), (uchar(0xFDD1), "''")])) }}
{% endmacro %}
