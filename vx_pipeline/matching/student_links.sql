-- matching.student_links: who is who, for certain.
-- grain:  one row for each linked student
-- key:    veracross_id; orah_id
-- source: matching.outcomes, matching.pairs, links_before
--
-- rule: what the link rests on; score: its evidence in bits.
-- contested: what speaks against a link of an earlier run now. It stays, nothing is written on its account, and a
-- person is asked. What a person decided is not contested.
CREATE OR REPLACE TABLE matching.student_links AS
SELECT
    our_id AS veracross_id,
    their_id AS orah_id,
    CASE WHEN outcomes.rule <> 'decision' AND pair.sis_id = 'same' THEN 'sis_id' ELSE outcomes.rule END AS rule,
    score,
    coalesce(before.linked_at, CAST($now AS TIMESTAMP)) AS linked_at,
    CASE
        WHEN before.orah_id IS NULL OR outcomes.rule = 'decision' THEN NULL
        WHEN pair.sis_id = 'different' THEN 'the linked record in Orah carries another sis_id now'
        WHEN EXISTS (
            FROM matching.pairs AS other
            WHERE other.our_id = pair.our_id AND other.their_id <> pair.their_id AND other.sis_id = 'same'
        ) THEN 'another record in Orah carries this student''s sis_id'
        WHEN pair.birth_date = 'different' AND 'different' IN (pair.first_name, pair.last_name)
            THEN 'name and birth date of the linked records contradict each other'
        WHEN pair.birth_date <> 'exact' AND pair.email <> 'own'
            AND pair.first_name = 'different' AND pair.last_name IN ('weak', 'different')
            THEN 'the names of the linked records have nothing in common'
    END AS contested
FROM matching.outcomes
JOIN matching.pairs AS pair USING (our_id, their_id)
LEFT JOIN links_before AS before ON before.veracross_id = our_id AND before.orah_id = their_id
WHERE outcome = 'link'
ORDER BY veracross_id;
