-- matching.review_queue: what a person has to decide, with the candidates.
-- grain:  one row for each student at the school without a link and each candidate in Orah (or none),
--         and one for each active record in Orah that nobody in Veracross could be
-- key:    veracross_id, orah_id (either may be null)
-- source: matching.pairs, claims, student_links, veracross_students, orah_students
--
-- rank: 1 is the best candidate of a student. A student with no row that names a candidate may be new in Orah.
CREATE OR REPLACE TABLE matching.review_queue AS
WITH waiting AS (
    SELECT * FROM matching.veracross_students
    WHERE is_current AND veracross_id NOT IN (SELECT veracross_id FROM matching.student_links)
),

unlinked AS (
    SELECT * FROM matching.orah_students
    WHERE orah_id NOT IN (SELECT orah_id FROM matching.student_links)
),

candidates AS (
    SELECT
        pair.veracross_id,
        pair.orah_id,
        CASE
            WHEN claim.objection IS NOT NULL THEN claim.objection
            WHEN claim.orah_id IS NOT NULL THEN 'the sis_id and the e-mail point to different records'
            WHEN pair.same_name AND pair.same_grade THEN 'same name and year level, nothing that proves it'
            WHEN pair.same_name THEN 'same name only'
            ELSE 'similar name only'
        END AS reason,
        row_number() OVER (
            PARTITION BY pair.veracross_id
            ORDER BY
                claim.orah_id IS NOT NULL DESC,
                pair.first_points + pair.last_points DESC,
                pair.same_grade DESC,
                pair.orah_id
        ) AS rank
    FROM matching.pairs AS pair
    SEMI JOIN waiting ON waiting.veracross_id = pair.veracross_id
    SEMI JOIN unlinked ON unlinked.orah_id = pair.orah_id
    LEFT JOIN matching.claims AS claim
        ON claim.veracross_id = pair.veracross_id AND claim.orah_id = pair.orah_id
    QUALIFY rank <= 5
)
SELECT veracross_id, orah_id, reason, rank FROM candidates
UNION ALL
SELECT veracross_id, NULL, 'nobody in Orah has a similar name', NULL
FROM waiting
WHERE veracross_id NOT IN (SELECT veracross_id FROM candidates)
UNION ALL
SELECT NULL, orah_id, 'nobody in Veracross has this record''s name', NULL
FROM unlinked
WHERE NOT deactivated AND orah_id NOT IN (SELECT orah_id FROM candidates)
ORDER BY veracross_id NULLS LAST, rank, orah_id;
