-- matching.outcomes: what becomes of each pair that could be one person.
-- grain:  one row for each pair that is linked, or that a person has to look at
-- key:    our_id, their_id
-- source: guarded, known, taken_back, barred
--
-- outcome: 'link'; 'review', nothing contradicts it but it is not certain; 'conflict', something contradicts it.
-- rule: what a link rests on, or the pattern that fits. why: why it was not automatic.
-- bulk: the group in which a person may confirm it with others like it, where every guard holds but proof is missing.
CREATE OR REPLACE TEMPORARY TABLE judged AS
SELECT
    guarded.*,
    taken_back.our_id IS NOT NULL AS taken_back,
    barred.our_id IS NOT NULL AS is_barred,
    sis_id = 'same' OR email = 'own' AS is_identified,
    CASE
        WHEN barred.our_id IS NOT NULL THEN 'a person said that this is somebody else'
        WHEN taken_back.our_id IS NOT NULL THEN 'a person took this link back'
        WHEN pattern IS NULL AND email = 'own' THEN 'the e-mail agrees, the name does not'
        WHEN birth_date = 'missing' AND grade = 'adjacent' AND first_name NOT IN ('exact', 'other')
            THEN 'the first names are only similar, and the year levels differ'
        WHEN identified_elsewhere THEN 'an e-mail or a sis_id points to a different record'
        WHEN email = 'shared' THEN 'the e-mail is not one person''s own'
        WHEN doubled_there THEN 'another record in Orah has exactly this name'
        WHEN doubled_here THEN 'another student has exactly this name'
        WHEN gap <= 0 THEN 'another candidate fits as well or better'
        WHEN gap < $margin THEN 'another candidate fits nearly as well'
        WHEN has_similar_twin THEN 'a twin with a similar first name has the same birth date'
        WHEN has_nameless_twin THEN 'a record without a first name has the same last name and birth date'
        WHEN has_twin AND first_name NOT IN ('exact', 'other', 'swapped')
            THEN 'a twin has the same birth date, and the first name is not exactly the same'
        WHEN has_twin AND without_twin THEN 'a twin has the same last name and birth date'
        WHEN pattern IS NULL THEN 'names and birth date do not agree well enough'
    END AS doubt,
    CASE
        WHEN corroborated_by = 'own e-mail' THEN NULL
        WHEN pattern <> 'name, birth date unknown' THEN pattern
        WHEN birth_date = 'missing' AND grade = 'same' THEN 'same name and year level'
    END AS bulk
FROM guarded
LEFT JOIN taken_back USING (our_id, their_id)
LEFT JOIN barred USING (our_id, their_id);

CREATE OR REPLACE TABLE matching.outcomes AS
WITH by_sis_id AS (
    SELECT our_id, their_id
    FROM judged
    WHERE sis_id = 'same' AND sis_id_objection IS NULL AND NOT identified_elsewhere AND NOT is_taken AND NOT taken_back AND NOT is_barred
),

decided AS (
    SELECT
        judged.*,
        CASE
            WHEN known.rule IS NOT NULL THEN known.rule
            WHEN by_sis_id.our_id IS NOT NULL THEN 'sis_id'
            WHEN is_taken OR sis_id = 'same' OR contradiction IS NOT NULL OR doubt IS NOT NULL THEN NULL
            WHEN corroborated AND surplus >= $evidence
                THEN CASE WHEN email = 'own' THEN 'email' ELSE pattern END
            WHEN bulk = 'same name and year level' AND $link_same_name_and_year THEN bulk
        END AS linked_by
    FROM judged
    LEFT JOIN known USING (our_id, their_id)
    LEFT JOIN by_sis_id USING (our_id, their_id)
)
SELECT
    our_id,
    their_id,
    CASE
        WHEN linked_by IS NOT NULL THEN 'link'
        WHEN sis_id_objection IS NOT NULL OR contradiction IS NOT NULL THEN 'conflict'
        WHEN pattern IS NULL AND email = 'own' THEN 'conflict'
        ELSE 'review'
    END AS outcome,
    coalesce(linked_by, bulk, CASE WHEN corroborated_by <> 'own e-mail' THEN pattern END) AS rule,
    score,
    gap,
    CASE
        WHEN linked_by IS NOT NULL THEN NULL
        ELSE coalesce(
            sis_id_objection,
            contradiction,
            doubt,
            CASE
                WHEN bulk = 'same name and year level' THEN 'same name and year level, nothing that proves it'
                WHEN corroborated_by = 'own e-mail' THEN 'similar names, nothing that proves it'
                WHEN NOT corroborated AND birth_date IN ('missing', 'different') THEN 'the name agrees, nothing that proves it'
                WHEN NOT corroborated THEN 'the names or the birth date are not quite the same, and nothing else proves it'
                ELSE 'the evidence is too weak in a pool of this size'
            END
        )
    END AS why,
    CASE
        WHEN linked_by IS NULL AND sis_id_objection IS NULL AND contradiction IS NULL AND doubt IS NULL AND NOT is_taken
            THEN bulk
    END AS bulk,
    is_taken,
    is_barred,
    is_identified
FROM decided
WHERE linked_by IS NOT NULL
    OR sis_id = 'same'
    OR email IN ('own', 'shared')
    OR score >= log2(pool_size) + $floor
ORDER BY our_id, their_id;
