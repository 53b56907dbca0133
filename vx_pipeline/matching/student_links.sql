-- matching.student_links: who is who, for certain.
-- grain:  one row for each linked student
-- key:    veracross_id; orah_id
-- source: matching.claims, linked_before
--
-- score: agreement of the names, 0 to 4. A link needs a claim without objection that is the only one of both
-- records: two identifiers that point to two records settle nothing.
CREATE OR REPLACE TABLE matching.student_links AS
WITH unopposed AS (
    SELECT
        *,
        count(*) OVER (PARTITION BY veracross_id) AS of_student,
        count(*) OVER (PARTITION BY orah_id) AS of_record
    FROM matching.claims
    WHERE objection IS NULL
)
SELECT
    veracross_id,
    orah_id,
    unopposed.rule,
    CAST(name_points AS DOUBLE) AS score,
    coalesce(before.linked_at, CAST($now AS TIMESTAMP)) AS linked_at
FROM unopposed
LEFT JOIN linked_before AS before USING (veracross_id, orah_id)
WHERE of_student = 1 AND of_record = 1
ORDER BY veracross_id;
