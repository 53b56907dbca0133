-- The classes whose meeting times are asked for: running, and of a current school year.
-- A school year is current when a dorm of that year is open at some time from $first to $last; a dorm without a
-- begin (or end) date is open on that side. Where no dorm has any date, every school year counts as current.
-- A status label that is unknown never leaves a class out.
-- grain:  one row for each class
-- key:    id
-- source: veracross.classes, veracross.dorms
WITH dated_dorms AS (
    SELECT school_year, begin_date, end_date
    FROM veracross.dorms
    WHERE _missing_since IS NULL AND (begin_date IS NOT NULL OR end_date IS NOT NULL)
),
current_years AS (
    SELECT DISTINCT school_year
    FROM dated_dorms
    WHERE coalesce(begin_date, $first) <= $last AND coalesce(end_date, $last) >= $first
)
SELECT id
FROM veracross.classes
WHERE _missing_since IS NULL
    AND coalesce(lower(status_label) NOT IN (SELECT unnest($inactive_labels::VARCHAR[])), TRUE)
    AND (NOT EXISTS (FROM dated_dorms) OR school_year IN (FROM current_years))
ORDER BY id
