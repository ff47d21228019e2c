{#
  The last step of on-run-start: all checks have passed, so this dbt command may build. Its row in the build log holds
  what an export needs to know later: the state of the source, the variables, the version, and the graph of the project.
#}
{% macro begin_build() %}
  {% set models, tests = {}, {} %}
  {% for node in graph.nodes.values() %}
    {% if is_recorded(node) %}
      {% do models.update({node.unique_id: {'name': node.name, 'type': node.resource_type, 'relation': node.relation_name,
        'parents': recorded_among(node.depends_on.nodes), 'latest': node.version == node.latest_version}}) %}
    {% elif node.resource_type == 'test' %}
      {% do tests.update({node.unique_id: recorded_among(node.depends_on.nodes)}) %}
    {% endif %}
  {% endfor %}
  {% do log_events([('started', flags.WHICH, {'by': env_var('PROBESHEETS_BUILDER', env_var('USER', 'dbt')), 'source': source_state(), 'variables': project_variables(),
    'version': project_meta().project_version, 'models': models, 'tests': tests, 'kinds': kinds_of_spreadsheet()})]) %}
{% endmacro %}

{% macro kinds_of_spreadsheet() %}
  {% set kinds = [] %}
  {% for exposure in graph.exposures.values() %}
    {% do kinds.append({'name': exposure.name, 'file': exposure.original_file_path, 'meta': with_extra_columns(exposure.config.meta or {}),
      'models': recorded_among(exposure.depends_on.nodes)}) %}
  {% endfor %}
  {{ return(kinds) }}
{% endmacro %}

{# The meta of a kind in which {more: extra_columns} lists the extra tags and columns. #}
{% macro with_extra_columns(meta) %}
  {% set columns = [] %}
  {% for column in meta.columns or [] %}
    {% set is_more = column is mapping and column.more == 'extra_columns' %}
    {% do columns.append({'more': listed('extra_tags') + names_of_extra_columns()} if is_more else column) %}
  {% endfor %}
  {{ return(dict(meta, columns=columns) if columns else meta) }}
{% endmacro %}

{# An ephemeral model is not built: its SQL becomes part of the models that read it. #}
{% macro is_recorded(node) %}
  {{ return(node.resource_type in ['model', 'seed', 'snapshot'] and node.config.materialized != 'ephemeral') }}
{% endmacro %}

{# The nodes that the build log records. Any other node is replaced by its recorded parents. #}
{% macro recorded_among(nodes) %}
  {% set found = [] %}
  {% for node in nodes or [] if node in graph.nodes %}
    {% do found.extend([node] if is_recorded(graph.nodes[node]) else recorded_among(graph.nodes[node].depends_on.nodes)) %}
  {% endfor %}
  {{ return(found | unique | list) }}
{% endmacro %}

{# The version and the variables of dbt_project.yml. A macro cannot read that file, so the meta of all models repeats them. #}
{% macro project_meta() %}{{ return(graph.nodes['model.probesheets.texts'].config.meta) }}{% endmacro %}

{# All variables of dbt_project.yml with the values of this dbt command. A number counts as the text of its digits. #}
{% macro project_variables() %}
  {% set variables = {} %}
  {% for name, default in project_meta().project_variables.items() %}
    {% set value = var(name, default) %}
    {% if value is sequence and value is not string and value is not mapping %}
      {% do variables.update({name: value | map('string') | list}) %}
    {% else %}
      {% do variables.update({name: value if value is boolean or value is mapping or value is none else value | string}) %}
    {% endif %}
  {% endfor %}
  {{ return(variables) }}
{% endmacro %}
