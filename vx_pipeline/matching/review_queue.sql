-- matching.said_new: who is nobody in Orah, said a person, and when. Grain and key: veracross_id.
CREATE OR REPLACE TABLE matching.said_new AS
SELECT our_id AS veracross_id, decided_at FROM new_people ORDER BY veracross_id;

-- matching.review_queue: what a person has to decide, with the candidates.
-- grain:  one row for each student without a link and each candidate in Orah (or none), and one for each active
--         record in Orah that nobody in Veracross could be
-- key:    veracross_id, orah_id (either may be null)
-- source: matching.outcomes, student_links; roster.students, orah.students; said_new, refusing, decided, written,
--         set_aside
--
-- rank: 1 is the best candidate of a student. outcome: null where nobody has to be asked, because a new record may be
-- made. Students who left are asked about only where a record in Orah that is active may be theirs.
-- A record that is linked to somebody else is a candidate where an identifier says so, or that link is in doubt.
CREATE OR REPLACE TABLE matching.review_queue AS
WITH waiting AS (
    SELECT
        student_id,
        is_current,
        CASE
            WHEN student_id IN (FROM refusing) OR student_id IN (SELECT our_id FROM matching.outcomes WHERE is_barred)
                THEN 'every candidate was refused; is this somebody new'
            WHEN student_id IN (FROM decided) THEN 'the record that a person linked is not in Orah any more'
            WHEN student_id IN (FROM written) THEN 'had a record in Orah that is not found now'
        END AS doubt
    FROM roster.students
    WHERE student_id NOT IN (SELECT veracross_id FROM matching.student_links)
        AND student_id NOT IN (SELECT veracross_id FROM matching.said_new)
),

records AS (
    SELECT record.id, record.deactivated, link.orah_id IS NOT NULL AS is_linked, link.contested IS NOT NULL AS is_contested
    FROM orah.students AS record
    LEFT JOIN matching.student_links AS link ON link.orah_id = record.id
    WHERE record._missing_reads < 2
),

candidates AS (
    SELECT
        our_id AS veracross_id,
        their_id AS orah_id,
        outcome.why AS reason,
        outcome.outcome,
        outcome.rule,
        outcome.score,
        CASE WHEN NOT records.is_linked THEN outcome.bulk END AS bulk,
        row_number() OVER (PARTITION BY our_id ORDER BY outcome.score DESC, their_id) AS rank
    FROM matching.outcomes AS outcome
    JOIN waiting ON waiting.student_id = our_id
    JOIN records ON records.id = their_id
    WHERE NOT outcome.is_barred
        AND (NOT records.is_linked OR records.is_contested OR outcome.is_identified)
        AND (waiting.is_current OR NOT (records.deactivated OR records.is_linked))
    QUALIFY rank <= 5
)
FROM candidates
UNION ALL BY NAME
SELECT
    student_id AS veracross_id,
    coalesce(doubt, 'nobody in Orah could be this student') AS reason,
    CASE WHEN doubt IS NOT NULL THEN 'review' END AS outcome
FROM waiting
WHERE is_current AND student_id NOT IN (SELECT veracross_id FROM candidates)
UNION ALL BY NAME
SELECT id AS orah_id, 'nobody in Veracross could be this record' AS reason
FROM records
WHERE NOT deactivated
    AND NOT is_linked
    AND id NOT IN (SELECT orah_id FROM candidates)
    AND id NOT IN (FROM set_aside)
ORDER BY veracross_id NULLS LAST, rank, orah_id;
