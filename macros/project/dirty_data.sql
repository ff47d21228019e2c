{#
  The config of the tests of the source's data: the variable dirty_data says whether what they find is a warning, an error,
  or not looked for. An unknown value warns; faults_of_variables() refuses it.
#}
{% macro dirty_data() %}
  {{ return({'severity': 'error' if var('dirty_data') == 'error' else 'warn', 'enabled': var('dirty_data') != 'ignore'}) }}
{% endmacro %}
