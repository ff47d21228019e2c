-- Every coding that was read must be in the table codings once, whether it counts or not.
select coding_count, listed_count
from (select count(*) as coding_count from {{ ref("read_codings") }} where code <> '') as readings
cross join (select count(*) as listed_count from {{ ref("checked_codings") }}) as listed
where coding_count <> listed_count
