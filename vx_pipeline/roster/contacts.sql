-- roster.contacts: the adults behind each student, and whether each may stand beside the student in Orah.
-- grain:  one row for each student and each parent or guardian who is, or was, related
-- key:    student_id, person_id
-- source: veracross.relationships and their history, parents, households, contact_info; roster.students
--
-- A student has one household but may have two homes: only the relationships show both. The address is that of
-- the parent's own household. Relationships to anyone who is not listed as a parent (siblings) are left out.
--
-- is_synced: null where no flag is set and one is empty: no reason to bring somebody, and none to take anybody away.
-- urgent: must be taken away at once. Who has died has died for every student. Custody has ended where the status
-- says so, or where legal custody is false and once was true; that it turned empty since is no return.
-- A relationship counts until it is missing in two complete reads. Of several rows about one pair, those that count
-- are heard, and one that says no outweighs one that says yes.
CREATE OR REPLACE TABLE roster.contacts AS
WITH memory AS (
    SELECT
        id,
        bool_or(CAST(before ->> 'legal_custody' AS BOOLEAN)) AS had_custody,
        max_by(CAST(before ->> 'legal_custody' AS BOOLEAN), "at")
            FILTER (before ->> 'legal_custody' IS NOT NULL) AS custody,
        max_by(CAST(before ->> 'related_person_is_deceased' AS BOOLEAN), "at")
            FILTER (before ->> 'related_person_is_deceased' IS NOT NULL) AS is_deceased
    FROM veracross.history
    WHERE collection = 'relationships'
    GROUP BY id
),

heard AS (
    SELECT
        relationship.*,
        _missing_reads < 2 AS is_present,
        _missing_reads < 2 OR NOT bool_or(_missing_reads < 2) OVER pair AS counts,
        coalesce(memory.had_custody, FALSE) AS had_custody,
        coalesce(relationship.legal_custody, memory.custody) AS known_custody,
        coalesce(relationship.related_person_is_deceased, memory.is_deceased, FALSE) AS is_deceased,
        coalesce(list_contains($no_custody_statuses, lower(trim(relationship.custody_status))), FALSE) AS is_barred,
        MAP {
            'resident': relationship.resident,
            'legal_custody': relationship.legal_custody,
            'parent_portal_access': relationship.parent_portal_access,
            'emergency': relationship.emergency
        } AS flags
    FROM veracross.relationships AS relationship
    LEFT JOIN memory ON memory.id = relationship.id
    WINDOW pair AS (PARTITION BY relationship.person_id, relationship.related_person_id)
),

deceased AS (
    SELECT DISTINCT related_person_id AS person_id
    FROM heard
    WHERE is_deceased AND is_present
),

pairs AS (
    SELECT
        person_id AS student_id,
        related_person_id AS person_id,
        bool_or(is_present) AS is_present,
        bool_or(is_deceased) FILTER (counts) AS is_deceased,
        bool_or(is_barred) FILTER (counts) AS is_barred,
        bool_or(counts AND had_custody AND known_custody IS FALSE)
        OR (
            bool_or(counts AND known_custody IS FALSE)
            AND NOT bool_or(counts AND known_custody IS TRUE)
            AND bool_or(had_custody OR known_custody IS TRUE)
        ) AS lost_custody,
        flatten(list(list_filter($needs_one_of, lambda flag: flags[flag])) FILTER (counts)) AS flags_set,
        bool_or(len(list_filter($needs_one_of, lambda flag: flags[flag] IS NULL)) > 0)
            FILTER (counts) AS has_empty_flag
    FROM heard
    GROUP BY ALL
),

judged AS (
    SELECT
        pairs.*,
        pairs.is_deceased OR pairs.person_id IN (SELECT person_id FROM deceased) AS has_died,
        list_filter($needs_one_of, lambda flag: list_contains(flags_set, flag))[1] AS first_flag
    FROM pairs
)
SELECT
    relationship.person_id AS student_id,
    relationship.related_person_id AS person_id,
    nullif(trim(relationship.relationship_label), '') AS relationship,
    nullif(trim(parent.name_prefix_label), '') AS title,
    coalesce(nullif(trim(parent.preferred_name), ''), nullif(trim(parent.first_name), '')) AS first_name,
    nullif(trim(parent.last_name), '') AS last_name,
    nullif(lower(trim(parent.email_1)), '') AS email,
    nullif(trim(contact_info.mobile_phone), '') AS mobile_phone,
    nullif(trim(contact_info.home_phone), '') AS home_phone,
    nullif(
        concat_ws(
            ', ',
            nullif(trim(household.address_line_1), ''),
            nullif(trim(household.address_line_2), ''),
            nullif(trim(household.address_line_3), ''),
            nullif(trim(household.city), ''),
            nullif(trim(household.state_or_province), ''),
            nullif(trim(household.zip), ''),
            nullif(trim(household.country_label), '')
        ),
        ''
    ) AS address,
    relationship.resident,
    relationship.legal_custody,
    relationship.custody_status,
    relationship.emergency,
    relationship.pick_up,
    relationship.parent_portal_access,
    judged.has_died AS is_deceased,
    CASE
        WHEN judged.has_died OR judged.is_barred OR judged.lost_custody OR NOT judged.is_present THEN FALSE
        WHEN judged.first_flag IS NOT NULL THEN TRUE
        WHEN NOT judged.has_empty_flag THEN FALSE
    END AS is_synced,
    CASE
        WHEN judged.has_died THEN 'has died'
        WHEN judged.is_barred THEN 'custody has ended: the custody status says so'
        WHEN judged.lost_custody THEN 'custody has ended: legal custody was set, and is not any more'
        WHEN NOT judged.is_present THEN 'the relationship is not found in two complete reads'
        WHEN judged.first_flag IS NOT NULL THEN replace(judged.first_flag, '_', ' ') || ' is set'
        WHEN judged.has_empty_flag THEN 'no flag is set, and not every one is known'
        ELSE 'no flag is set'
    END AS why,
    judged.has_died OR judged.is_barred OR judged.lost_custody AS urgent
FROM heard AS relationship
JOIN roster.students AS student ON student.student_id = relationship.person_id
JOIN judged
    ON judged.student_id = relationship.person_id AND judged.person_id = relationship.related_person_id
JOIN veracross.parents AS parent ON parent.id = relationship.related_person_id
LEFT JOIN veracross.households AS household ON household.id = parent.household_id
LEFT JOIN veracross.contact_info AS contact_info ON contact_info.id = parent.id
WHERE relationship.counts
QUALIFY row_number() OVER (
    PARTITION BY relationship.person_id, relationship.related_person_id ORDER BY relationship.id
) = 1
ORDER BY student_id, person_id;
