-- attendance.sessions: who was where they belonged, class meeting by class meeting, as Veracross says now.
-- grain:  one row for each student and class meeting with an attendance row that Veracross still lists
-- key:    student_id, class_id, attendance_date, block_id, starts_at
-- source: veracross.class_attendance
--
-- Veracross keeps one row for each of them. Where two are stored, one was deleted and made anew since its class was
-- last read whole: the one that was changed last counts.
-- $labels and $kinds say what each status means. A row without a status: nobody took attendance. A status whose
-- label no value list tells stands there as its code. A row without student or day is no session of anybody.
-- starts_at is local to the school; of a meeting without a time, the beginning of its day.
CREATE OR REPLACE TABLE attendance.sessions AS
WITH meanings AS (
    SELECT unnest($labels::VARCHAR[]) AS label, unnest($kinds::VARCHAR[]) AS kind
)
SELECT
    marked.student_id,
    marked.internal_class_id AS class_id,
    marked.attendance_date,
    marked.block__id AS block_id,
    coalesce(marked.start_time, CAST(marked.attendance_date AS TIMESTAMP)) AS starts_at,
    coalesce(marked.status_label, 'code ' || marked.status) AS status_label,
    marked.status,
    CASE WHEN marked.status IS NULL THEN 'untaken' ELSE coalesce(meanings.kind, 'unknown') END AS kind
FROM veracross.class_attendance AS marked
LEFT JOIN meanings ON meanings.label = marked.status_label
WHERE marked._missing_since IS NULL AND marked.student_id IS NOT NULL AND marked.attendance_date IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY
        marked.student_id, marked.internal_class_id, marked.attendance_date, marked.block__id, marked.start_time
    ORDER BY marked.last_modified_date DESC NULLS LAST, marked.id DESC
) = 1
ORDER BY marked.student_id, starts_at, class_id, block_id, kind;
