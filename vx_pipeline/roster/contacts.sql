-- roster.contacts: the adults behind each student, one row for each relationship.
-- grain:  one row for each student and parent or guardian
-- key:    student_id, person_id
-- source: veracross.relationships, parents, households, contact_info; roster.students
--
-- A student has one household but may have two homes: only the relationships show both. The address is that of
-- the parent's own household. Relationships to anyone who is not listed as a parent (siblings) are left out.
CREATE OR REPLACE TABLE roster.contacts AS
SELECT
    relationship.person_id AS student_id,
    relationship.related_person_id AS person_id,
    relationship.relationship_label AS relationship,
    parent.name_prefix_label AS title,
    coalesce(nullif(trim(parent.preferred_name), ''), parent.first_name) AS first_name,
    parent.last_name,
    nullif(lower(trim(parent.email_1)), '') AS email,
    contact_info.mobile_phone,
    contact_info.home_phone,
    concat_ws(
        ', ',
        household.address_line_1,
        household.address_line_2,
        household.address_line_3,
        household.city,
        household.state_or_province,
        household.zip,
        household.country_label
    ) AS address,
    relationship.resident,
    relationship.legal_custody,
    relationship.custody_status,
    relationship.emergency,
    relationship.pick_up,
    relationship.parent_portal_access,
    coalesce(relationship.related_person_is_deceased, FALSE) AS is_deceased
FROM veracross.relationships AS relationship
JOIN roster.students AS student ON student.student_id = relationship.person_id
JOIN veracross.parents AS parent ON parent.id = relationship.related_person_id
LEFT JOIN veracross.households AS household ON household.id = parent.household_id
LEFT JOIN veracross.contact_info AS contact_info ON contact_info.id = parent.id
WHERE relationship._missing_since IS NULL
QUALIFY row_number() OVER (
    PARTITION BY relationship.person_id, relationship.related_person_id ORDER BY relationship.id
) = 1
ORDER BY student_id, person_id;
