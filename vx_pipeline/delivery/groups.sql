-- delivery.groups: which classes and teams are in the group import.
-- grain:  one row for each class or team of the running school year
-- key:    group_id
-- source: roster.groups
CREATE OR REPLACE TABLE delivery.groups AS
SELECT
    group_id,
    kind,
    name,
    school_year,
    CASE WHEN coalesce(trim(name), '') = '' THEN 'no name' END AS problem
FROM roster.groups
ORDER BY group_id;
