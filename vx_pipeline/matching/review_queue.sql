-- matching.said_new: who is nobody in Orah, said a person. Grain and key: veracross_id.
CREATE OR REPLACE TABLE matching.said_new AS FROM said_new ORDER BY veracross_id;

-- matching.review_queue: what a person has to decide, with the candidates.
-- grain:  one row for each student without a link and each candidate in Orah (or none), and one for each active
--         record in Orah that nobody in Veracross could be
-- key:    veracross_id, orah_id (either may be null)
-- source: matching.outcomes, student_links, ours, theirs; roster.students, orah.students; said_new, set_aside
--
-- rank: 1 is the best candidate of a student. Students who left are asked about only where a record in Orah that is
-- active may be theirs. Who was said to be new waits no more, and gets a record.
CREATE OR REPLACE TABLE matching.review_queue AS
WITH waiting AS (
    SELECT student_id, is_current
    FROM roster.students
    WHERE student_id NOT IN (SELECT veracross_id FROM matching.student_links)
        AND student_id NOT IN (SELECT veracross_id FROM said_new)
),

unlinked AS (
    SELECT id, deactivated
    FROM orah.students
    WHERE _missing_reads < 2 AND id NOT IN (SELECT orah_id FROM matching.student_links)
),

candidates AS (
    SELECT
        our_id AS veracross_id,
        their_id AS orah_id,
        outcome.why AS reason,
        outcome.outcome,
        outcome.rule,
        outcome.score,
        outcome.gap,
        outcome.bulk,
        row_number() OVER (PARTITION BY our_id ORDER BY outcome.score DESC, their_id) AS rank
    FROM matching.outcomes AS outcome
    JOIN waiting ON waiting.student_id = our_id
    JOIN unlinked ON unlinked.id = their_id
    WHERE waiting.is_current OR NOT unlinked.deactivated
    QUALIFY rank <= 5
)
FROM candidates
UNION ALL BY NAME
SELECT student_id AS veracross_id, 'nobody in Orah could be this student' AS reason
FROM waiting
WHERE is_current AND student_id NOT IN (SELECT veracross_id FROM candidates)
UNION ALL BY NAME
SELECT id AS orah_id, 'nobody in Veracross could be this record' AS reason
FROM unlinked
WHERE NOT deactivated
    AND id NOT IN (SELECT orah_id FROM candidates)
    AND id NOT IN (SELECT orah_id FROM set_aside)
ORDER BY veracross_id NULLS LAST, rank, orah_id;
