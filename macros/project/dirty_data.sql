{#
  The config of the tests of the source's data: the variable dirty_data says whether what they find is a warning, an error,
  or not looked for. An unknown value warns; faults_of_variables() refuses it. The warning has values of the
  column `shows`. `only` names the one shape that the test is for.
#}
{% macro dirty_data(shows, only=none) %}
  {{ return({
    'severity': 'error' if var('dirty_data') == 'error' else 'warn',
    'enabled': var('dirty_data') != 'ignore' and (only is none or var('shape') == only),
    'meta': {'shows': shows},
  }) }}
{% endmacro %}
