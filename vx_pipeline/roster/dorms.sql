-- roster.dorms: every dorm, and whether it is in use today.
-- grain:  one row for each dorm of a school year
-- key:    dorm_id
-- source: veracross.dorms
--
-- A dorm is a class of one school year, so last year's and next year's dorms stand beside this year's under the
-- same name. Its own dates decide; where one is missing, those of the other dorms of its school year; where
-- there are none at all, the year in the school year's label, from July to June.
CREATE OR REPLACE TABLE roster.dorms AS
WITH school_years AS (
    SELECT school_year, min(begin_date) AS first_day, max(end_date) AS last_day
    FROM veracross.dorms
    WHERE _missing_since IS NULL
    GROUP BY school_year
),

dated AS (
    SELECT
        dorm.id AS dorm_id,
        trim(coalesce(dorm.description, dorm.abbreviation)) AS name,
        dorm.status_label AS status,
        coalesce(dorm.school_year_label, dorm.school_year) AS school_year,
        try_cast(
            nullif(regexp_extract(coalesce(dorm.school_year_label, dorm.school_year), '\d{4}'), '') AS INTEGER
        ) AS year,
        coalesce(dorm.begin_date, school_years.first_day, make_date(year, 7, 1)) AS begin_date,
        coalesce(dorm.end_date, school_years.last_day, make_date(year + 1, 6, 30)) AS end_date,
        dorm._missing_reads >= 2 AS is_missing
    FROM veracross.dorms AS dorm
    LEFT JOIN school_years ON school_years.school_year IS NOT DISTINCT FROM dorm.school_year
)
SELECT
    dorm_id,
    name,
    school_year,
    status,
    begin_date,
    end_date,
    CASE
        WHEN is_missing THEN 'no longer listed'
        WHEN list_contains($inactive_class_statuses, lower(trim(status))) THEN 'its status is ' || status
        WHEN begin_date > $today THEN 'begins on ' || begin_date
        WHEN end_date < $today THEN 'ended on ' || end_date
    END AS why_not,
    why_not IS NULL AS in_use
FROM dated
ORDER BY dorm_id;
