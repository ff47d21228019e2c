{#
  The last step of on-run-start: all checks have passed, so this invocation may build. Its row in the build log holds
  what an export needs to know later: the state of the source, the variables, the version, and the graph of the project.
#}
{% macro begin_build() %}
  {% set models, tests, version = {}, {}, namespace(found='') %}
  {% for node in graph.nodes.values() %}
    {% if node.resource_type == 'model' %}
      {% set version.found = node.config.meta.version or version.found %}
      {% do models.update({node.unique_id: {'name': node.name, 'relation': node.relation_name,
        'parents': models_among(node.depends_on.nodes), 'latest': node.version == node.latest_version}}) %}
    {% elif node.resource_type == 'test' %}
      {% do tests.update({node.unique_id: models_among(node.depends_on.nodes)}) %}
    {% endif %}
  {% endfor %}
  {% do log_events([('started', flags.WHICH, {'source': source_state(), 'variables': project_variables(),
    'version': version.found, 'models': models, 'tests': tests, 'kinds': kinds_of_spreadsheet()})]) %}
{% endmacro %}

{% macro kinds_of_spreadsheet() %}
  {% set kinds = [] %}
  {% for exposure in graph.exposures.values() %}
    {% do kinds.append({'name': exposure.name, 'file': exposure.original_file_path, 'meta': exposure.config.meta or {},
      'models': models_among(exposure.depends_on.nodes)}) %}
  {% endfor %}
  {{ return(kinds) }}
{% endmacro %}

{% macro models_among(nodes) %}
  {% set models = [] %}
  {% for node in nodes if node.startswith('model.') %}{% do models.append(node) %}{% endfor %}
  {{ return(models | unique | list) }}
{% endmacro %}

{# All variables of dbt_project.yml, as this invocation has them. #}
{% macro project_variables() %}
  {{ return({
    'text_tag': var('text_tag') | string,
    'date_tag': var('date_tag') | string,
    'extra_tags': var('extra_tags') | map('string') | list,
    'extra_columns': var('extra_columns') | map('string') | list,
    'bare_links': var('bare_links'),
  }) }}
{% endmacro %}
