-- matching.student_links: who is who, for certain.
-- grain:  one row for each linked student
-- key:    veracross_id; orah_id
-- source: matching.claims, linked_before
--
-- score: agreement of the names, 0 to 4. A link needs a claim without objection that is the only one of both
-- records: two identifiers that point to two records settle nothing. A sis_id counts against other claims even
-- where it is not believed itself, so that no second record ever gets the id of a student. A link of an earlier
-- run, which the sis_id in Orah bears witness to, stays.
CREATE OR REPLACE TABLE matching.student_links AS
WITH counted AS (
    SELECT
        *,
        count(*) OVER (PARTITION BY veracross_id) AS of_student,
        count(*) OVER (PARTITION BY orah_id) AS of_record
    FROM matching.claims
    WHERE objection IS NULL OR rule = 'sis_id'
)
SELECT
    veracross_id,
    orah_id,
    counted.rule,
    CAST(name_points AS DOUBLE) AS score,
    coalesce(before.linked_at, CAST($now AS TIMESTAMP)) AS linked_at
FROM counted
LEFT JOIN linked_before AS before USING (veracross_id, orah_id)
WHERE objection IS NULL
    AND ((of_student = 1 AND of_record = 1) OR (counted.rule = 'sis_id' AND linked_before))
ORDER BY veracross_id;
