-- One row per text row of the source, including blank ones: cleaned, without the probe, links between marks.
-- texts, texts_without_links and links all read this one marking, so they cannot disagree.
{% set may_repeat = "1 = 1" if not execute or shape().repeats_probe else "1 = 0" %}
{% set stored = ref("combined", v=2) %}
{% set tasks = number_of_tasks(stored) %}
with
    cleaned as (
        select
            text_id,
            root_id,
            experiment_id,
            date,
            date_text,
            date_match,
            month,
            probe,
            probe_key,
            {{ clean("coalesce(text, '')") }} as clean_text
        from {{ small_chunks(in_tasks(tasks, stored, "text_id"), "text_id", "text") }} {{ computed_once() }}
    ),

    compared as (
        select
            cleaned.*,
            names.file_stem,
            names.clean_probe,
            names.flat_probe,
            {{ may_repeat }}
            and names.clean_probe <> ''
            and {{ begins_with("cleaned.clean_text", "names.clean_probe") }} as begins_with_clean,
            {{ may_repeat }}
            and names.flat_probe <> ''
            and {{ begins_with(flat("cleaned.clean_text"), "names.flat_probe") }} as begins_with_flat
        from cleaned
        inner join {{ ref("probe_names") }} as names on cleaned.probe_key = names.probe_key
    ),

    split as (
        select
            text_id,
            root_id,
            experiment_id,
            probe,
            file_stem,
            date,
            date_text,
            date_match,
            month,
            clean_text = '' as is_blank,
            begins_with_clean or begins_with_flat as starts_with_probe,
            case
                when begins_with_clean
                then {{ rest_after("clean_text", "clean_probe") }}
                when begins_with_flat
                then {{ rest_after(flat("clean_text"), "flat_probe") }}
                else clean_text
            end as text
        from compared {{ computed_once() }}
    )

select
    text_id,
    root_id,
    experiment_id,
    probe,
    file_stem,
    date,
    date_text,
    date_match,
    month,
    is_blank,
    starts_with_probe,
    {{ sha256_hex("concat(file_stem, ' ', text)") }} as text_key,
    {{ links_too_long("text") }} as links_too_long,
    {{ mark_links("text") }} as marked_text
from {{ in_tasks(tasks, "split", "text_id") }}
