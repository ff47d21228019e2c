{#
  For `probesheets check`: prints one line of JSON. `faults` are what prepare_source would stop for; `kinds` are the kinds
  of spreadsheet, which the exporter checks as before an export; `source` says what the source contains, by the rules of
  the models, before anything is built.
#}
{% macro inspect_source() %}
  {% do offer_copy() %}
  {% set faults = faults_of_settings() or faults_of_source() %}
  {% do print(tojson({'faults': faults, 'kinds': [] if faults else kinds_of_spreadsheet(),
    'source': none if faults else content_of_source()})) %}
  {% do withdraw_copy() %}
{% endmacro %}

{% macro content_of_source() %}
  {% set used = [[text_tag(), 'texts'], [date_tag(), 'dates'], ['raw', 'raw']] %}
  {% for tag in var('extra_tags') %}{% do used.append([tag | string, 'extra column']) %}{% endfor %}
  {% set content = {'used_tags': used, 'tags': counts_of_source('tag'), 'has_tags': shape().has_tags or false,
    'has_models': has_models() or not (shape().has_tags or 'model' in shape().tables[first_table(shape())]), 'others': other_shapes(), 'first': first_texts_of_source(),
    'reasons': counts_of_source('reason', 'reason is not null'), 'repeats_probe': shape().repeats_probe or false,
    'most_texts': [] if shape().has_tags else counts_of_source("coalesce(probe, '')", rows_of_tag(text_tag()),
      most=50 if shape().one_file else 8)} %}
  {% do content.update(texts_of_source()) %}
  {% do content.update(dates_of_source()) %}
  {% do content.update(probes_of_source()) %}
  {{ return(content) }}
{% endmacro %}

{% macro has_models() %}
  {{ return('model_name' in types_of_columns('table_experiment')
    or run_query('select 1 from ' ~ rows_of_shape() ~ ' where model_name is not null limit 1').rows | length > 0) }}
{% endmacro %}

{# The values of an expression and their rows, the most first: [[value, number of rows]]. #}
{% macro counts_of_source(expression, condition='1 = 1', most=1000000) %}
  {% set counts = [] %}
  {% for row in run_query('select ' ~ exact_text(expression) ~ ' as found, count(*) as row_count from ' ~ rows_of_shape()
    ~ ' where ' ~ condition ~ ' group by 1 order by 2 desc, 1 limit ' ~ most).rows %}
    {% do counts.append([row[0], row[1] | int]) %}
  {% endfor %}
  {{ return(counts) }}
{% endmacro %}

{# A condition on the rows of the shape: those with a tag that are not left out. #}
{% macro rows_of_tag(tag) %}{{ return('reason is null and ' ~ exact_text('tag') ~ ' = ' ~ text_literal(tag)) }}{% endmacro %}

{# Text rows: how many, blank ones, those without a date row, and how many begin with their probe. #}
{% macro texts_of_source() %}
  {% set outputs, is_text, is_date = rows_of_shape(), rows_of_tag(text_tag()), rows_of_tag(date_tag()) %}
  {% set texts %}
    with
      texts as (
        select
          {{ clean(exact_text("coalesce(content, '')")) }} as clean_text,
          {{ clean(exact_text("coalesce(probe, '')")) }} as clean_probe
        from {{ small_chunks(outputs, 'id', 'content') }} where {{ is_text }} {{ computed_once() }}
      ),
      compared as (
        select
          clean_text = '' as is_blank,
          clean_text <> '' and clean_probe <> '' as has_both,
          {{ begins_with('clean_text', 'clean_probe') }} as begins,
          {{ begins_with(flat('clean_text'), flat('clean_probe')) }} as begins_flat
        from texts {{ computed_once() }}
      )
    select
      count(*),
      sum(case when is_blank then 1 else 0 end),
      sum(case when has_both and (begins or begins_flat) then 1 else 0 end),
      sum(case when has_both and not begins and begins_flat then 1 else 0 end),
      sum(case when has_both and not begins and not begins_flat then 1 else 0 end)
    from compared
  {% endset %}
  {% set without_date %}
    select sum(texts) from (
      select sum(case when {{ is_text }} then 1 else 0 end) as texts, sum(case when {{ is_date }} then 1 else 0 end) as dates
      from {{ outputs }} where {{ is_text }} or {{ is_date }} group by root_id, experiment_id
    ) as roots where dates = 0
  {% endset %}
  {% set found = run_query(texts).rows[0] %}
  {{ return({'texts': found[0] | int, 'blank': found[1] | int, 'begin': found[2] | int, 'begin_flat': found[3] | int,
    'begin_not': found[4] | int, 'without_date': (run_query(without_date).rows[0][0] or 0) | int}) }}
{% endmacro %}

{# The first texts as [id, model, date as stored, probe, text], cleaned and without their probe. #}
{% macro first_texts_of_source(most=3) %}
  {% set query %}
    with
      texts as (
        select id, root_id, depth, {{ exact_text('model_name') }} as model_name,
          {{ clean(exact_text("coalesce(content, '')")) }} as clean_text, {{ clean(exact_text("coalesce(probe, '')")) }} as clean_probe
        from {{ rows_of_shape() }} where {{ rows_of_tag(text_tag()) }} order by id limit {{ most }}
      ),
      dates as (
        select root_id, depth, {{ exact_text('content') }} as content from {{ rows_of_shape() }} where {{ rows_of_tag(date_tag()) }}
      )
    select texts.id, model_name,
      (select min(dates.content) from dates where dates.root_id = texts.root_id and dates.depth = texts.depth),
      clean_probe,
      case when {{ 'clean_probe <> \'\' and ' ~ begins_with('clean_text', 'clean_probe') if shape().repeats_probe else '1 = 0' }}
        then {{ rest_after('clean_text', 'clean_probe') }} else clean_text end
    from texts order by texts.id
  {% endset %}
  {% set texts = [] %}
  {% for row in run_query(query).rows %}{% do texts.append(row.values() | map('string') | list) %}{% endfor %}
  {{ return(texts) }}
{% endmacro %}

{# Date rows: how many, how many cannot be read, and three of these. #}
{% macro dates_of_source() %}
  {% set dates %}
    with
      flat_dates as (
        select {{ exact_text('content') }} as content, {{ flat(clean(exact_text("coalesce(content, '')"))) }} as flat_date
        from {{ rows_of_shape() }} where {{ rows_of_tag(date_tag()) }} {{ computed_once() }}
      ),
      digits as (select content, {{ date_digits('flat_date') }} as digits from flat_dates {{ computed_once() }}),
      dates as (select content, content <> '' and {{ existing_day('digits') }} is null as is_odd from digits)
  {% endset %}
  {% set count, odd = run_query(dates ~ 'select count(*), sum(case when is_odd then 1 else 0 end) from dates').rows[0] %}
  {% set examples = [] %}
  {% for row in run_query(dates ~ 'select content from dates where is_odd group by content order by count(*) desc, content'
    ~ ' limit 3').rows %}{% do examples.append(row[0]) %}{% endfor %}
  {{ return({'dates': count | int, 'odd_dates': (odd or 0) | int, 'odd_examples': examples}) }}
{% endmacro %}

{# How many probes there will be, and those that differ only in white space or only in case, each with an example. #}
{% macro probes_of_source() %}
  {% set probe = exact_text("coalesce(probe, '')") %}
  {% set stored %}
    with
      as_stored as (
        select min({{ probe }}) as probe from {{ rows_of_shape() }}
        where {{ rows_of_tag(text_tag()) }} group by {{ sha256_hex(probe) }} {{ computed_once() }}
      ),
      forms as (select probe, {{ flat(clean('probe')) }} as flat_probe from as_stored {{ computed_once() }}),
      probes as (
        select min(flat_probe) as flat_probe, count(*) as forms, min(probe) as first_form, max(probe) as last_form
        from forms group by {{ sha256_hex('flat_probe') }} {{ computed_once() }}
      )
  {% endset %}
  {% set count, spaces = run_query(stored ~ 'select count(*), sum(case when forms > 1 then 1 else 0 end) from probes').rows[0] %}
  {% set space_example = run_query(stored ~ 'select first_form, last_form from probes where forms > 1 limit 1').rows %}
  {% set cases = run_query(stored ~ 'select min(flat_probe), max(flat_probe) from probes group by '
    ~ sha256_hex('lower(flat_probe)') ~ ' having count(*) > 1').rows %}
  {{ return({'probes': count | int, 'alike_spaces': spaces | int, 'alike_spaces_example': space_example[0].values() | list
    if space_example else [], 'alike_case': cases | length, 'alike_case_example': cases[0].values() | list if cases else []}) }}
{% endmacro %}
