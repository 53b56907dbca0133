-- The classes whose attendance is asked for: those that meet from $first to $last, are still listed, and do not
-- say that they take no attendance.
-- grain:  one row for each class
-- key:    internal_class_id
-- source: veracross.meeting_times, veracross.classes
SELECT DISTINCT internal_class_id
FROM veracross.meeting_times AS meeting
SEMI JOIN (
    FROM veracross.classes WHERE _missing_since IS NULL AND track_class_attendance IS DISTINCT FROM FALSE
) AS class ON class.id = meeting.internal_class_id
WHERE meeting._missing_since IS NULL AND meeting.date BETWEEN $first AND $last
ORDER BY internal_class_id
