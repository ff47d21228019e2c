{# After the tests: for each that failed or warned, its name and what to do, from the comment at its top. #}
{% macro advise(results) %}
  {% for result in results if result.node and result.node.resource_type == 'test' and result.status | string in ['fail', 'error', 'warn'] %}
    {% set comment = namespace(lines=[], ended=false) %}
    {% for line in result.node.raw_code.split('\n') if not comment.ended %}
      {% if line.startswith('--') %}{% do comment.lines.append(line[2:] | trim) %}{% else %}{% set comment.ended = true %}{% endif %}
    {% endfor %}
    {% set advice = comment.lines | join(' ') or 'The models broke a promise: build all of them again, and report this name if it stays so.' %}
    {% do log(result.status | string | upper ~ ' ' ~ result.node.name ~ ': ' ~ (result.failures or 0) ~ ' rows. ' ~ advice, info=true) %}
  {% endfor %}
{% endmacro %}
