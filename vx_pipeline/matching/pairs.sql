-- matching.pairs: pairs of records that share enough to be looked at, field by field.
-- grain:  one row for each pair
-- key:    our_id, their_id
-- source: matching.people, nicknames_of, name_counts
--
-- No pass depends on how many people share a value, so that a new person takes nobody's rival away.
CREATE OR REPLACE TEMPORARY TABLE ours AS
SELECT person.*, nicknames
FROM matching.people AS person
LEFT JOIN nicknames_of USING (side, person_id)
WHERE side = 'ours';

CREATE OR REPLACE TEMPORARY TABLE theirs AS FROM matching.people WHERE side = 'theirs';

CREATE OR REPLACE TEMPORARY TABLE block_keys AS
WITH named AS (
    SELECT
        side,
        person_id,
        unnest(first_names) AS first_name,
        last_name,
        birth_date,
        grade
    FROM matching.people
),

keys AS (
    SELECT side, person_id, 'sis_id' AS pass, sis_id AS key FROM matching.people
    UNION ALL
    SELECT side, person_id, 'email', email FROM matching.people
    UNION ALL
    SELECT side, person_id, 'born', CAST(birth_date AS VARCHAR) FROM matching.people
    UNION ALL
    -- In either order: names are typed into each other's fields.
    SELECT side, person_id, 'name, initial', last_name || '/' || left(first_name, 1) FROM named
    UNION ALL
    SELECT side, person_id, 'last name, year', last_name || '/' || year(birth_date) FROM matching.people
    UNION ALL
    SELECT side, person_id, 'household', postcode || '/' || street FROM matching.people
    UNION ALL
    -- Where a birth date is unknown, one rare name alone is worth a look.
    SELECT side, person_id, 'last name, undated', last_name FROM matching.people
    UNION ALL
    SELECT side, person_id, 'first name, undated', first_name FROM named
    UNION ALL
    SELECT side, person_id, 'name, initial', first_name || '/' || left(last_name, 1) FROM named
    UNION ALL
    SELECT side, person_id, 'part of last name, initial', part || '/' || left(first_name, 1)
    FROM (SELECT * EXCLUDE last_name, unnest(split(last_name, ' ')) AS part FROM named)
    UNION ALL
    SELECT side, person_id, 'first name, year', first_name || '/' || year(birth_date) FROM named
    UNION ALL
    SELECT side, person_id, 'first name, day', first_name || '/' || strftime(birth_date, '%m-%d') FROM named
    UNION ALL
    SELECT side, person_id, 'starts, grade', left(first_name, 2) || '/' || left(last_name, 2) || '/' || grade
    FROM named
    UNION ALL
    -- Swapped names, one name for all, or a whole name in one field.
    SELECT side, person_id, 'joined', replace(concat(first_name, last_name), ' ', '') FROM named
    UNION ALL
    SELECT side, person_id, 'joined', replace(concat(last_name, first_name), ' ', '') FROM named
)
SELECT DISTINCT pool, side, person_id, pass, key, birth_date IS NULL AS undated
FROM keys
JOIN matching.people USING (side, person_id)
WHERE key IS NOT NULL;

-- One edit, or nearly the same letters. Distances are asked for only where the lengths allow one edit: they cost.
CREATE OR REPLACE TEMPORARY MACRO nearly(a, b) AS
    jaro_winkler_similarity(a, b) >= 0.94
    OR (
        CASE WHEN abs(length(a) - length(b)) <= 1 AND least(length(a), length(b)) >= 3
            THEN damerau_levenshtein(a, b) <= 1 ELSE FALSE END
    );

-- Two first names: the same, one of several, one letter apart, cut short, an initial.
CREATE OR REPLACE TEMPORARY MACRO first_name_level(a, b) AS CASE
    WHEN a IS NULL OR b IS NULL THEN 'missing'
    WHEN a = b THEN 'exact'
    WHEN starts_with(a, b || ' ') OR starts_with(b, a || ' ') OR ends_with(a, ' ' || b) OR ends_with(b, ' ' || a)
        THEN CASE WHEN least(length(a), length(b)) > 1 THEN 'contains' ELSE 'initial' END
    WHEN least(length(a), length(b)) = 1 THEN CASE WHEN left(a, 1) = left(b, 1) THEN 'initial' ELSE 'different' END
    WHEN nearly(a, b) THEN 'near'
    WHEN least(length(a), length(b)) >= 3 AND (starts_with(a, b) OR starts_with(b, a)) THEN 'truncated'
    ELSE 'different'
END;

CREATE OR REPLACE TEMPORARY MACRO last_name_level(a, b) AS CASE
    WHEN a IS NULL OR b IS NULL THEN 'missing'
    WHEN a = b THEN 'exact'
    WHEN nearly(a, b) THEN 'near'
    WHEN starts_with(a, b || ' ') OR starts_with(b, a || ' ') THEN 'part'
    WHEN (contains(a, ' ') OR contains(b, ' '))
        AND len(list_filter(list_intersect(split(a, ' '), split(b, ' ')), lambda part: length(part) >= 3)) > 0
        THEN 'part'
    WHEN jaro_winkler_similarity(a, b) >= 0.85 THEN 'weak'
    ELSE 'different'
END;

CREATE OR REPLACE TEMPORARY MACRO birth_date_level(a, b) AS CASE
    WHEN a IS NULL OR b IS NULL THEN 'missing'
    WHEN a = b THEN 'exact'
    WHEN year(a) = year(b) AND month(a) = day(b) AND day(a) = month(b) THEN 'swapped'
    WHEN levenshtein(CAST(a AS VARCHAR), CAST(b AS VARCHAR)) = 1 THEN 'near'
    WHEN abs(year(a) - year(b)) = 1 AND strftime(a, '%m-%d') = strftime(b, '%m-%d') THEN 'near'
    ELSE 'different'
END;

CREATE OR REPLACE TEMPORARY MACRO household_level(a, b) AS CASE
    WHEN a IS NULL OR b IS NULL THEN 'missing'
    WHEN a = b THEN 'same'
    WHEN damerau_levenshtein(a, b) <= 1 THEN 'near'
    ELSE 'different'
END;

CREATE OR REPLACE TABLE matching.pairs AS
WITH touching AS (
    SELECT DISTINCT ours.person_id AS our_id, theirs.person_id AS their_id
    FROM block_keys AS ours
    JOIN block_keys AS theirs USING (pool, pass, key)
    WHERE ours.side = 'ours' AND theirs.side = 'theirs'
        AND (NOT ends_with(pass, 'undated') OR ours.undated OR theirs.undated)
        AND NOT EXISTS (
            FROM refused WHERE refused.our_id = ours.person_id AND refused.their_id = theirs.person_id
        )
    UNION
    SELECT our_id, their_id
    FROM known
    SEMI JOIN ours ON ours.person_id = our_id
    SEMI JOIN theirs ON theirs.person_id = their_id
),

compared AS (
    SELECT
        our_id,
        their_id,
        ours.pool_size,
        [
            first_name_level(ours.first_name, theirs.first_name),
            first_name_level(ours.other_name, theirs.first_name),
            first_name_level(ours.first_name, theirs.other_name),
            first_name_level(ours.other_name, theirs.other_name)
        ] AS first_names,
        list_intersect(ours.first_names, theirs.first_names) AS shared_first_names,
        coalesce(list_has_any(ours.nicknames, theirs.first_names), FALSE) AS nicknames,
        -- A name in the other's field; of the two, one may be mistyped.
        coalesce(list_contains(ours.first_names, theirs.last_name), FALSE) AS first_crossed,
        coalesce(list_contains(theirs.first_names, ours.last_name), FALSE) AS last_crossed,
        coalesce(first_crossed AND (last_crossed OR nearly(ours.last_name, theirs.first_name)), FALSE) AS first_swapped,
        coalesce(last_crossed AND (first_crossed OR nearly(ours.first_name, theirs.last_name)), FALSE) AS last_swapped,
        last_name_level(ours.last_name, theirs.last_name) AS last_name_level,
        -- One name for all, or the whole name in one field, in either order.
        ours.first_name IS DISTINCT FROM theirs.first_name AND ours.last_name IS DISTINCT FROM theirs.last_name
            AND replace(concat(ours.first_name, ours.last_name), ' ', '') IN (
            replace(concat(theirs.first_name, theirs.last_name), ' ', ''),
            replace(concat(theirs.last_name, theirs.first_name), ' ', '')
        ) AS joined,
        CASE
            WHEN ours.birth_date = theirs.birth_date AND (ours.is_common_date OR theirs.is_common_date) THEN 'missing'
            ELSE birth_date_level(ours.birth_date, theirs.birth_date)
        END AS birth_date_level,
        CASE
            WHEN ours.middle_name IS NULL OR theirs.middle_name IS NULL THEN 'missing'
            WHEN ours.middle_name = theirs.middle_name
                THEN CASE WHEN length(ours.middle_name) > 1 THEN 'exact' ELSE 'initial' END
            WHEN left(ours.middle_name, 1) = left(theirs.middle_name, 1)
                AND (least(length(ours.middle_name), length(theirs.middle_name)) = 1) THEN 'initial'
            ELSE 'different'
        END AS middle_name_level,
        CASE
            WHEN ours.sex IS NULL OR theirs.sex IS NULL THEN 'missing'
            WHEN ours.sex = theirs.sex THEN 'same'
            ELSE 'different'
        END AS sex_level,
        CASE
            WHEN ours.grade = theirs.grade THEN 0 ELSE abs(ours.grade_number - theirs.grade_number)
        END AS grades_apart,
        CASE
            WHEN ours.email IS NULL OR theirs.email IS NULL THEN 'missing'
            WHEN ours.email <> theirs.email THEN 'different'
            WHEN ours.with_email = 1 AND theirs.with_email = 1 AND NOT ours.family_email THEN 'own'
            ELSE 'shared'
        END AS email_level,
        ours.email <> theirs.email AND ours.own_domain AND theirs.domain = ours.domain AS school_emails_differ,
        CASE
            WHEN ours.sis_id IS NULL OR theirs.sis_id IS NULL THEN 'missing'
            WHEN ours.sis_id = theirs.sis_id THEN 'same'
            ELSE 'different'
        END AS sis_id_level,
        theirs.with_sis_id > 1 AS sis_id_is_shared,
        household_level(ours.postcode, theirs.postcode) AS postcode_level,
        household_level(ours.street, theirs.street) AS street_level,
        -- Reading a name into another script is a guess: several names are read alike.
        ours.other_script <> theirs.other_script AS read_only,
        ours.suffix IS DISTINCT FROM theirs.suffix AS suffixes_differ
    FROM touching
    JOIN ours ON ours.person_id = touching.our_id
    JOIN theirs ON theirs.person_id = touching.their_id
)
SELECT
    our_id,
    their_id,
    pool_size,
    CASE
        WHEN read_only AND len(shared_first_names) > 0 THEN 'read'
        WHEN first_names[1] = 'exact' THEN 'exact'
        WHEN len(shared_first_names) > 0 THEN 'other'
        WHEN first_swapped THEN 'swapped'
        WHEN last_swapped THEN 'near'
        WHEN list_contains(first_names, 'contains') THEN 'contains'
        WHEN nicknames THEN 'nickname'
        WHEN list_contains(first_names, 'near') THEN 'near'
        WHEN list_contains(first_names, 'truncated') THEN 'truncated'
        WHEN joined THEN 'joined'
        WHEN list_contains(first_names, 'initial') THEN 'initial'
        WHEN list_contains(first_names, 'different') THEN 'different'
        ELSE 'missing'
    END AS first_name,
    CASE
        WHEN last_name_level = 'exact' AND read_only THEN 'read'
        WHEN last_name_level = 'exact' THEN 'exact'
        WHEN last_swapped THEN 'swapped'
        WHEN first_swapped THEN 'near'
        WHEN joined AND last_name_level NOT IN ('near', 'part') THEN 'joined'
        ELSE last_name_level
    END AS last_name,
    birth_date_level AS birth_date,
    middle_name_level AS middle_name,
    sex_level AS sex,
    CASE
        WHEN birth_date_level = 'exact' OR grades_apart IS NULL THEN 'missing'
        WHEN grades_apart = 0 THEN 'same'
        WHEN grades_apart < $grades_apart THEN 'adjacent'
        ELSE 'apart'
    END AS grade,
    email_level AS email,
    sis_id_level AS sis_id,
    postcode_level AS postcode,
    street_level AS street,
    shared_first_names,
    coalesce(grades_apart >= $grades_apart, FALSE) AS grades_contradict,
    coalesce(school_emails_differ, FALSE) AS school_emails_differ,
    suffixes_differ,
    sis_id_is_shared
FROM compared;
