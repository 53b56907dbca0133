-- taken: pairs one of whose records is known to be somebody else's.
-- grain:  one row for each such pair
-- key:    our_id, their_id
-- source: matching.pairs, known
CREATE OR REPLACE TEMPORARY TABLE taken AS
SELECT our_id, pairs.their_id FROM matching.pairs JOIN known USING (our_id) WHERE known.their_id <> pairs.their_id
UNION
SELECT pairs.our_id, their_id FROM matching.pairs JOIN known USING (their_id) WHERE known.our_id <> pairs.our_id;

-- claims: pairs that an identifier says are one person, and pairs with exactly the same names.
-- grain:  one row for each such pair that is not taken
-- key:    our_id, their_id
-- source: matching.pairs, taken
CREATE OR REPLACE TEMPORARY TABLE claims AS
SELECT
    our_id,
    their_id,
    sis_id = 'same' OR email = 'own' AS identified,
    first_name IN ('exact', 'other', 'swapped') AND last_name IN ('exact', 'swapped')
        AND birth_date <> 'different' AS same_name,
    count_if(identified) OVER (PARTITION BY our_id) AS owners_of_ours,
    count_if(identified) OVER (PARTITION BY their_id) AS owners_of_theirs
FROM matching.pairs
ANTI JOIN taken USING (our_id, their_id)
WHERE identified OR same_name;

-- circumstances: what the other records of the pool mean for one record.
-- grain:  one row for each record
-- key:    side, person_id
-- source: matching.people, claims, nicknames_of
--
-- identified, namesakes: claims of this record. unowned: namesakes that no identifier gives to anybody.
-- doubled: another record of this side has the same names, and no birth date or identifier tells the two apart.
-- twins: other records of this side with the same last name and birth date. similar_twin: one of them has a first
-- name that could be taken for this one's (Mari and Mara, Alex and Alexandra).
-- nameless_twin: one of them has no first name, and may be this very person.
-- born_there: records of the other side with this last name and birth date.
CREATE OR REPLACE TEMPORARY TABLE circumstances AS
WITH claimed AS (
    SELECT
        'ours' AS side,
        our_id AS person_id,
        count_if(identified) AS identified,
        count_if(same_name) AS namesakes,
        count_if(same_name AND owners_of_theirs = 0) AS unowned
    FROM claims
    GROUP BY our_id
    UNION ALL
    SELECT
        'theirs', their_id, count_if(identified), count_if(same_name), count_if(same_name AND owners_of_ours = 0)
    FROM claims
    GROUP BY their_id
),

doubles AS (
    SELECT DISTINCT one.side, one.person_id
    FROM matching.people AS one
    JOIN matching.people AS two
        ON two.pool = one.pool AND two.side = one.side AND two.last_name = one.last_name AND two.first_name = one.first_name
    LEFT JOIN claimed ON claimed.side = two.side AND claimed.person_id = two.person_id
    WHERE two.person_id <> one.person_id
        AND two.suffix IS NOT DISTINCT FROM one.suffix
        AND coalesce(
            two.birth_date = one.birth_date,
            coalesce(claimed.identified, 0) = 0
        )
),

twins AS (
    SELECT
        one.side,
        one.person_id,
        count(*) AS twins,
        bool_or(two.first_name IS NULL) AS nameless_twin,
        bool_or(
            list_has_any(coalesce(short.nicknames, []), two.first_names)
            OR first_name_level(one.first_name, two.first_name) NOT IN ('different', 'missing')
            OR coalesce(first_name_level(one.other_name, two.first_name), 'missing') NOT IN ('different', 'missing')
            OR coalesce(first_name_level(one.first_name, two.other_name), 'missing') NOT IN ('different', 'missing')
        ) AS similar_twin
    FROM matching.people AS one
    JOIN matching.people AS two
        ON two.pool = one.pool AND two.side = one.side AND two.last_name = one.last_name AND two.birth_date = one.birth_date
    LEFT JOIN nicknames_of AS short ON short.side = one.side AND short.person_id = one.person_id
    WHERE two.person_id <> one.person_id
    GROUP BY ALL
),

born AS (
    SELECT pool, side, last_name, birth_date, count(*) AS people
    FROM matching.people
    WHERE last_name IS NOT NULL AND birth_date IS NOT NULL
    GROUP BY ALL
)
SELECT
    person.side,
    person.person_id,
    coalesce(claimed.identified, 0) AS identified,
    coalesce(claimed.namesakes, 0) AS namesakes,
    coalesce(claimed.unowned, 0) AS unowned,
    doubles.person_id IS NOT NULL AS doubled,
    coalesce(twins.twins, 0) AS twins,
    coalesce(twins.similar_twin, FALSE) AS similar_twin,
    coalesce(twins.nameless_twin, FALSE) AS nameless_twin,
    coalesce(born.people, 0) AS born_there
FROM matching.people AS person
LEFT JOIN claimed USING (side, person_id)
LEFT JOIN doubles USING (side, person_id)
LEFT JOIN twins USING (side, person_id)
LEFT JOIN born
    ON born.pool = person.pool AND born.side <> person.side AND born.last_name = person.last_name AND born.birth_date = person.birth_date;

-- guarded: every pair with what speaks for and against linking it without a person.
-- grain:  one row for each pair
-- key:    our_id, their_id
-- source: matching.pairs, matching.scores, circumstances, claims, pattern
CREATE OR REPLACE TEMPORARY TABLE guarded AS
SELECT
    pair.our_id,
    pair.their_id,
    pair.pool_size,
    pair.sis_id,
    pair.email,
    pair.first_name,
    pair.last_name,
    pair.birth_date,
    pair.grade,
    coalesce(scores.score, 0) AS score,
    coalesce(scores.surplus, 0) AS surplus,
    scores.gap,
    pattern.name AS pattern,
    pattern.corroborated_by,
    CASE pattern.corroborated_by
        WHEN 'nothing' THEN TRUE
        WHEN 'own e-mail' THEN pair.email = 'own'
        ELSE pair.email = 'own'
            OR pair.middle_name = 'exact'
            OR (ends_with(pattern.corroborated_by, 'initial') AND pair.middle_name = 'initial')
            OR (starts_with(pattern.corroborated_by, 'anything') AND 'same' IN (pair.postcode, pair.street))
    END AS corroborated,
    CASE
        WHEN pair.sis_id = 'different' THEN 'the record in Orah carries another sis_id'
        WHEN pair.sex = 'different' THEN 'the sexes differ'
        WHEN pair.middle_name = 'different' THEN 'the middle names differ'
        WHEN pair.suffixes_differ THEN 'only one of the names has a suffix such as Jr'
        WHEN pair.grades_contradict THEN 'the year levels are too far apart'
        WHEN pair.school_emails_differ THEN 'both have an e-mail address of the school, and not the same'
    END AS contradiction,
    CASE
        WHEN pair.sis_id <> 'same' THEN NULL
        WHEN pair.sis_id_is_shared THEN 'several records in Orah carry this sis_id'
        WHEN NOT same_name AND theirs.namesakes > 0 THEN 'another student has exactly the name of this record'
        WHEN NOT same_name AND ours.namesakes > 0 THEN 'another record in Orah has exactly the name of this student'
        WHEN pair.birth_date = 'different' AND 'different' IN (pair.first_name, pair.last_name)
            THEN 'the sis_id agrees, name and birth date do not'
        WHEN pair.email = 'own' THEN NULL
        WHEN 'different' IN (pair.first_name, pair.last_name)
            AND (pair.grades_contradict OR pair.school_emails_differ OR pair.sex = 'different')
            THEN 'the sis_id agrees, but a name and more than that do not'
        WHEN pair.first_name IN ('different', 'missing') AND pair.last_name IN ('weak', 'different', 'missing')
            THEN 'the sis_id agrees, the name does not'
    END AS sis_id_objection,
    ours.identified > itself OR theirs.identified > itself AS identified_elsewhere,
    ours.doubled OR (pair.birth_date <> 'exact' AND theirs.unowned > unowned_here) AS doubled_here,
    theirs.doubled OR (pair.birth_date <> 'exact' AND ours.unowned > unowned_there) AS doubled_there,
    ours.twins + theirs.twins > 0
        OR (NOT same_birth AND ours.born_there + theirs.born_there > 0) AS has_twin,
    ours.similar_twin OR theirs.similar_twin AS has_similar_twin,
    ours.nameless_twin OR theirs.nameless_twin AS has_nameless_twin,
    pattern.without_twin,
    taken.our_id IS NOT NULL AS is_taken
FROM (
    SELECT
        pairs.*,
        coalesce(claims.identified, FALSE)::INTEGER AS itself,
        coalesce(claims.same_name, FALSE) AS same_name,
        coalesce(claims.same_name AND claims.owners_of_theirs = 0, FALSE)::INTEGER AS unowned_there,
        coalesce(claims.same_name AND claims.owners_of_ours = 0, FALSE)::INTEGER AS unowned_here,
        pairs.last_name = 'exact' AND pairs.birth_date = 'exact' AS same_birth
    FROM matching.pairs
    LEFT JOIN claims USING (our_id, their_id)
) AS pair
LEFT JOIN matching.scores AS scores USING (our_id, their_id)
JOIN circumstances AS ours ON ours.side = 'ours' AND ours.person_id = pair.our_id
JOIN circumstances AS theirs ON theirs.side = 'theirs' AND theirs.person_id = pair.their_id
LEFT JOIN pattern USING (first_name, last_name, birth_date)
LEFT JOIN taken ON taken.our_id = pair.our_id AND taken.their_id = pair.their_id;
