-- attendance.student_meetings: which class meetings each linked student belonged in, in a period; is_tracked tells
--         whether attendance is taken there. A roll may be of a class without, so those meetings are here, too.
-- grain:  one row for each student and class meeting
-- key:    student_id, class_id, block_id, starts_at
-- source: veracross.meeting_times, enrollments, classes; matching.student_links
--
-- Enrolled means on the day of the meeting, not today. Meeting times are local to the school and without an
-- offset; starts_at and ends_at are UTC, so that the nights on which the clocks change come out right.
CREATE OR REPLACE TABLE attendance.student_meetings AS
SELECT DISTINCT
    enrolment.person_id AS student_id,
    link.orah_id,
    meeting.internal_class_id AS class_id,
    meeting.date,
    meeting.block__id AS block_id,
    (meeting.start_time AT TIME ZONE $zone) AT TIME ZONE 'UTC' AS starts_at,
    (meeting.end_time AT TIME ZONE $zone) AT TIME ZONE 'UTC' AS ends_at,
    coalesce(class.track_class_attendance, TRUE) AS is_tracked
FROM veracross.meeting_times AS meeting
JOIN veracross.enrollments AS enrolment
    ON enrolment.internal_class_id = meeting.internal_class_id
    AND enrolment._missing_since IS NULL
    AND coalesce(enrolment.late_date_enrolled <= meeting.date, TRUE)
    AND coalesce(enrolment.date_withdrawn > meeting.date, TRUE)
JOIN veracross.classes AS class
    ON class.id = meeting.internal_class_id
    AND class._missing_since IS NULL
-- A link in doubt carries no marks: the time away may be another child's.
JOIN matching.student_links AS link ON link.veracross_id = enrolment.person_id AND link.contested IS NULL
WHERE meeting._missing_since IS NULL AND meeting.date BETWEEN $first AND $last
ORDER BY student_id, starts_at, class_id;
