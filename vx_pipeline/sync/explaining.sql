-- What the warehouse says of each person, in sentences: one statement for each topic and source.
-- grain:  one row for each person and sentence
-- key:    none; person_id, topic and place order them
-- source: named by each statement; where one was never built, its statement is left out
--
-- Sentences hold ids, days and the school's own labels, and no names. Moments are UTC, as everywhere in the warehouse.

-- veracross: listed as a student or not. Source: veracross.students.
SELECT
    id AS person_id,
    'veracross' AS topic,
    10 AS place,
    CASE
        WHEN _missing_since IS NULL THEN 'Listed as a student.'
        ELSE 'Not listed as a student since ' || strftime(_missing_since, '%Y-%m-%d %H:%M') || ' UTC ('
            || _missing_reads || CASE _missing_reads WHEN 1 THEN ' complete read' ELSE ' complete reads' END
            || ' without them). What follows is what was said last.'
    END AS sentence
FROM veracross.students;

-- veracross: listed as staff or faculty or not. Source: veracross.staff_faculty.
SELECT
    id AS person_id,
    'veracross' AS topic,
    10 AS place,
    CASE
        WHEN _missing_since IS NULL THEN 'Listed as staff or faculty.'
        ELSE 'Not listed as staff or faculty since ' || strftime(_missing_since, '%Y-%m-%d %H:%M') || ' UTC ('
            || _missing_reads || CASE _missing_reads WHEN 1 THEN ' complete read' ELSE ' complete reads' END
            || ' without them). What follows is what was said last.'
    END AS sentence
FROM veracross.staff_faculty;

-- veracross: listed as a parent or not. Source: veracross.parents.
SELECT
    id AS person_id,
    'veracross' AS topic,
    10 AS place,
    CASE
        WHEN _missing_since IS NULL THEN 'Listed as a parent.'
        ELSE 'Not listed as a parent since ' || strftime(_missing_since, '%Y-%m-%d %H:%M') || ' UTC ('
            || _missing_reads || CASE _missing_reads WHEN 1 THEN ' complete read' ELSE ' complete reads' END
            || ' without them). What follows is what was said last.'
    END AS sentence
FROM veracross.parents;

-- veracross: rows that could not be understood. Source: veracross.rejected_rows.
SELECT
    id AS person_id,
    'veracross' AS topic,
    11 AS place,
    'Their row of veracross.' || collection || ' could not be understood'
        || CASE WHEN len(fields) > 0 THEN ' (' || array_to_string(list_sort(fields), ', ') || ')' ELSE '' END
        || '. They count as present, and what was known before stands.' AS sentence
FROM veracross.rejected_rows
WHERE collection IN ('students', 'staff_faculty', 'parents') AND id IS NOT NULL;

-- veracross: what a student's row says. Source: veracross.students.
SELECT
    id AS person_id,
    'veracross' AS topic,
    unnest([20, 21, 22]) AS place,
    unnest([
        CASE WHEN trim(roles) <> '' THEN 'Roles: ' || trim(roles) || '.' ELSE 'No roles are given.' END,
        concat_ws(
            '; ',
            coalesce('Grade: ' || grade_level_label, 'No grade is given'),
            coalesce('enrollment status: ' || enrollment_status_label, 'no enrollment status') || '.'
        ),
        concat_ws(
            '; ',
            coalesce('Entry date ' || entry_date, 'No entry date'),
            coalesce('exit date ' || exit_date, 'no exit date') || '.'
        )
    ]) AS sentence
FROM veracross.students;

-- veracross: dorm enrolments. Source: roster.dorm_assignments.
SELECT
    student_id AS person_id,
    'veracross' AS topic,
    30 AS place,
    'Dorm enrolment ' || assignment_id || ': '
        || concat_ws(
            ', ',
            'dorm ' || dorm_id,
            'room ' || room_number,
            'bed ' || bed_number,
            'from ' || late_date_enrolled,
            'withdrawn on ' || date_withdrawn,
            CASE currently_enrolled
                WHEN TRUE THEN 'flagged as currently enrolled'
                WHEN FALSE THEN 'not flagged as currently enrolled'
                ELSE 'without a flag'
            END
        )
        || CASE WHEN is_listed THEN '' ELSE ', not in the last read' END
        || '. ' || CASE WHEN is_current THEN 'It holds today.' ELSE 'It does not hold today: ' || objection || '.' END
        AS sentence
FROM roster.dorm_assignments
ORDER BY assignment_id;

-- veracross: what a row of staff says. Source: veracross.staff_faculty.
SELECT
    id AS person_id,
    'veracross' AS topic,
    40 AS place,
    concat_ws(
        '; ',
        CASE WHEN trim(roles) <> '' THEN 'Roles as staff: ' || trim(roles) ELSE 'No roles as staff' END,
        'hired on ' || date_hired,
        coalesce('terminated on ' || date_terminated, 'no termination date') || '.'
    ) AS sentence
FROM veracross.staff_faculty;

-- scope: students. Source: sync.scope; roster.leavers.
SELECT
    scope.veracross_id AS person_id,
    'scope' AS topic,
    10 AS place,
    CASE
        WHEN in_scope THEN 'Brought to Orah: ' || scope.reason || '.'
        WHEN rule = 'leaver' THEN 'Not brought to Orah, because they left: ' || scope.reason || '.'
        ELSE 'Not brought to Orah: ' || scope.reason || '.'
    END
        || coalesce(
            ' Rule: '
            || CASE
                WHEN rule = 'future' THEN 'the entry date has to be reached.'
                WHEN rule = 'boarding' THEN 'the setting synced.'
                WHEN rule = 'grade' THEN 'the setting grades.'
                WHEN leaver.signal = 'exit_date' THEN 'an exit date that is reached.'
                WHEN leaver.signal = 'role' THEN 'the setting active_roles.'
                WHEN leaver.signal = 'enrollment_status' THEN 'the setting left_enrollment_statuses.'
                WHEN leaver.signal = 'missing' THEN 'two complete reads without somebody.'
            END,
            ''
        ) AS sentence
FROM sync.scope AS scope
LEFT JOIN roster.leavers AS leaver ON leaver.student_id = scope.veracross_id;

-- scope: what happens to the record of who left. Source: roster.leavers; matching.student_links; orah.students.
SELECT
    leaver.student_id AS person_id,
    'scope' AS topic,
    11 AS place,
    CASE
        WHEN link.orah_id IS NULL THEN 'No record in Orah is linked, so nothing has to be taken away.'
        WHEN record.deactivated THEN 'Their record in Orah is deactivated.'
        ELSE 'Their record in Orah is active; the rule is to deactivate it'
            || CASE action WHEN 'delete' THEN ', and to delete it after a time of grace.' ELSE '.' END
    END AS sentence
FROM roster.leavers AS leaver
LEFT JOIN matching.student_links AS link ON link.veracross_id = leaver.student_id
LEFT JOIN orah.students AS record ON record.id = link.orah_id;

-- scope: staff. Source: veracross.staff_faculty; roster.staff.
SELECT
    person.id AS person_id,
    'scope' AS topic,
    20 AS place,
    CASE
        WHEN staff.person_id IS NULL THEN 'Not among today''s staff.'
        WHEN staff.problem IS NOT NULL THEN 'Staff, but set aside: ' || staff.problem || '; Orah knows staff by e-mail.'
        ELSE 'Staff go to Orah by a file for its import: it has no route to write them.'
    END AS sentence
FROM veracross.staff_faculty AS person
LEFT JOIN roster.staff AS staff ON staff.person_id = person.id;

-- scope: parents. Source: veracross.parents; roster.contacts; sync.scope.
SELECT
    parent.id AS person_id,
    'scope' AS topic,
    30 AS place,
    CASE
        WHEN bool_or(contact.is_synced AND scope.in_scope)
            THEN 'May be a contact in Orah: stands beside a student who is synced, with the right to it.'
        WHEN count(contact.student_id) = 0 THEN 'Not brought to Orah as a contact: stands beside no student.'
        WHEN NOT coalesce(bool_or(scope.in_scope), FALSE)
            THEN 'Not brought to Orah as a contact: stands beside no student who is synced.'
        ELSE 'Not brought to Orah as a contact: may not stand beside any of their students.'
    END AS sentence
FROM veracross.parents AS parent
LEFT JOIN roster.contacts AS contact ON contact.person_id = parent.id
LEFT JOIN sync.scope AS scope ON scope.veracross_id = contact.student_id
GROUP BY parent.id;

-- boarder: yes or no. Source: roster.boarders, dorms.
SELECT
    student_id AS person_id,
    'boarder' AS topic,
    10 AS place,
    CASE
        WHEN is_boarder THEN 'A boarder: ' || reason
            || coalesce(', room ' || room_number, '') || coalesce(', bed ' || bed_number, '')
        ELSE 'Not a boarder: ' || reason
    END || '. Rule: the setting boarder_rule = ' || rule || '.' AS sentence
FROM roster.boarders;

-- boarder: contradictions. Source: roster.boarder_contradictions.
SELECT
    student_id AS person_id,
    'boarder' AS topic,
    20 AS place,
    'Veracross says two things at once, for a person to mend there: ' || replace(contradiction, '_', ' ')
        || ' (dorm enrolment ' || array_to_string(assignment_ids, ', ') || ').' AS sentence
FROM roster.boarder_contradictions
ORDER BY contradiction;

-- match: links. Source: matching.student_links; orah.students.
SELECT
    link.veracross_id AS person_id,
    'match' AS topic,
    unnest([10, 11, 12]) AS place,
    unnest([
        'Linked to Orah ' || link.orah_id
            || CASE
                WHEN rule = 'decision' THEN ' by a person''s decision'
                ELSE ' by ' || replace(rule, '_', ' ')
            END
            || ', since ' || strftime(linked_at, '%Y-%m-%d %H:%M') || ' UTC'
            || coalesce(', with ' || printf('%.1f', score) || ' bits of evidence', '') || '.',
        'In doubt: ' || contested || '. It stays, and nothing is written until a person says whether it is right.',
        CASE
            WHEN record._missing_since IS NOT NULL
                THEN 'The record did not come in the last read of Orah; it is left alone until it does.'
            WHEN record.deactivated THEN 'The record is deactivated in Orah.'
        END
    ]) AS sentence
FROM matching.student_links AS link
LEFT JOIN orah.students AS record ON record.id = link.orah_id;

-- match: students without a link. Source: roster.students; matching.review_queue, student_links, said_new.
WITH queue AS (
    SELECT
        veracross_id,
        arg_min(reason, coalesce(rank, 1)) AS reason,
        bool_or(outcome IS NOT NULL) AS is_asked,
        string_agg(orah_id || coalesce(' with ' || printf('%.1f', score) || ' bits', ''), ', ' ORDER BY rank) AS candidates
    FROM matching.review_queue
    WHERE veracross_id IS NOT NULL
    GROUP BY veracross_id
)
SELECT
    student.student_id AS person_id,
    'match' AS topic,
    20 AS place,
    CASE
        WHEN new.decided_at IS NOT NULL
            THEN 'Linked to no record: on ' || strftime(new.decided_at, '%Y-%m-%d %H:%M')
                || ' UTC a person said that nobody in Orah is this student.'
        WHEN queue.is_asked
            THEN 'Linked to no record; waits for a person: ' || rtrim(queue.reason, '.') || '.'
                || coalesce(' Candidates in Orah: ' || queue.candidates || '.', '')
        WHEN queue.veracross_id IS NOT NULL THEN 'Linked to no record: ' || rtrim(queue.reason, '.') || '.'
        ELSE 'Linked to no record, and nobody is asked: not at the school today.'
    END AS sentence
FROM roster.students AS student
LEFT JOIN queue ON queue.veracross_id = student.student_id
LEFT JOIN matching.said_new AS new ON new.veracross_id = student.student_id
WHERE student.student_id NOT IN (SELECT veracross_id FROM matching.student_links);

-- match: parents and guardians. Source: matching.contact_links; orah.contacts.
SELECT
    link.person_id,
    'match' AS topic,
    unnest([30, 31]) AS place,
    unnest([
        'As a contact linked to Orah ' || link.orah_id
            || CASE rule
                WHEN 'decision' THEN ' by a person''s decision.'
                WHEN 'written' THEN ', because we wrote it.'
                ELSE ' by ' || replace(rule, '_', ' ') || '.'
            END,
        CASE
            WHEN record._missing_since IS NOT NULL
                THEN 'The contact did not come in the last read of Orah; it is left alone until it does.'
        END
    ]) AS sentence
FROM matching.contact_links AS link
LEFT JOIN orah.contacts AS record ON record.id = link.orah_id;

-- match: parents and guardians in question. Source: matching.contact_questions.
SELECT
    person_id,
    'match' AS topic,
    40 AS place,
    'As a contact linked to none, and waits for a person: ' || why || ' (contacts in Orah: '
        || string_agg(orah_id, ', ' ORDER BY orah_id) || ').' AS sentence
FROM matching.contact_questions
GROUP BY person_id, why;

-- match: other parents and guardians. Source: roster.contacts; matching.contact_links, contact_questions.
SELECT DISTINCT
    person_id,
    'match' AS topic,
    50 AS place,
    'As a contact linked to none in Orah.' AS sentence
FROM roster.contacts
WHERE person_id NOT IN (SELECT person_id FROM matching.contact_links)
    AND person_id NOT IN (SELECT person_id FROM matching.contact_questions);

-- contacts: the adults of a student, and the students of an adult. Source: roster.contacts; sync.scope.
WITH told AS (
    SELECT
        contact.student_id,
        contact.person_id,
        coalesce(' (' || contact.relationship || ')', '') AS relationship,
        CASE
            WHEN contact.is_synced AND NOT coalesce(scope.in_scope, FALSE)
                THEN 'not brought to Orah, because the student is not'
            WHEN contact.is_synced THEN 'may stand there in Orah'
            WHEN contact.is_synced IS NULL THEN 'neither brought to Orah nor taken away'
            WHEN contact.urgent THEN 'must not stand there in Orah, and is taken away at once'
            ELSE 'not brought to Orah'
        END || coalesce('; ' || contact.why, '') || '.' AS outcome
    FROM roster.contacts AS contact
    LEFT JOIN sync.scope AS scope ON scope.veracross_id = contact.student_id
)
SELECT
    student_id AS person_id,
    'contacts' AS topic,
    10 AS place,
    'Parent ' || told.person_id || relationship || ': ' || outcome AS sentence
FROM told
UNION ALL
SELECT person_id, 'contacts', 20, 'Beside student ' || student_id || relationship || ': ' || outcome
FROM told
ORDER BY person_id, place, sentence;
