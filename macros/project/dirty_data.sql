{#
  The config of the tests of the source's data: the variable dirty_data says whether what they find is a warning, an error,
  or not looked for. An unknown value warns; faults_of_variables() refuses it. The warning has values of the column `shows`.
#}
{% macro dirty_data(shows) %}
  {{ return({
    'severity': 'error' if var('dirty_data') == 'error' else 'warn',
    'enabled': var('dirty_data') != 'ignore',
    'meta': {'shows': shows},
  }) }}
{% endmacro %}
