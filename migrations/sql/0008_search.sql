-- Finds the organisation's records by the beginning of a key or of the title, then by words of the
-- title in any order. Row-level security would make these index look-ups scans; here the
-- organisation is a plain condition. Each look-up stops early: of very many only some are
-- compared. `owner` narrows the answer to that person's POVs.
CREATE FUNCTION search_records(query text, kinds text[], owner uuid, most integer)
RETURNS TABLE (record_id uuid, kind text, title text, by_key boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    mine uuid := nullif(current_setting('app.organization_id', true), '')::uuid;
    typed text := btrim(left(query, 200));
    asked text := lower(btrim(left(query, 200)));
    words tsquery;
    keyed uuid[];
    named uuid[];
BEGIN
    IF mine IS NULL OR asked = '' THEN
        RETURN;
    END IF;
    keyed := ARRAY(
        SELECT k.record_id
          FROM unnest(kinds) AS one (kind)
         CROSS JOIN unnest(ARRAY['email', 'phone', 'domain', 'exact']) AS type (name)
         CROSS JOIN LATERAL (
               SELECT rk.record_id FROM record_key rk
                WHERE rk.organization_id = mine AND rk.kind = one.kind AND rk.key_type = type.name
                  AND rk.value >= asked AND rk.value < asked || U&'\+10FFFF'
                ORDER BY rk.value LIMIT most) AS k);
    named := ARRAY(
        SELECT t.id
          FROM unnest(kinds) AS one (kind)
         CROSS JOIN (SELECT DISTINCT v.start FROM unnest(ARRAY[typed, initcap(typed)]) AS v (start)) AS w
         CROSS JOIN LATERAL (
               SELECT r.id FROM record r
                WHERE r.organization_id = mine AND r.kind = one.kind AND r.deleted_at IS NULL
                  AND r.title >= w.start AND r.title < w.start || U&'\+10FFFF'
                ORDER BY r.title LIMIT most) AS t);
    IF owner IS NOT NULL OR cardinality(named) < most THEN
        SELECT to_tsquery('simple', string_agg(quote_literal(w.word) || ':*', ' & ')) INTO words
          FROM (SELECT t.word FROM regexp_split_to_table(regexp_replace(asked, '[\\''[:cntrl:]]', ' ', 'g'), '\s+')
                       AS t (word) WHERE t.word <> '' LIMIT 8) AS w;
        named := named || ARRAY(
            SELECT r.id FROM record r
             WHERE r.organization_id = mine AND r.kind = ANY(kinds) AND r.deleted_at IS NULL
               AND (search_records.owner IS NULL OR r.owner_id = search_records.owner)
               AND to_tsvector('simple'::regconfig, coalesce(r.title, '')) @@ words
             LIMIT most * 2);
    END IF;
    RETURN QUERY
    SELECT r.id, r.kind, r.title, r.id = ANY(keyed)
      FROM record r
     WHERE r.organization_id = mine AND r.id = ANY(keyed || named) AND r.deleted_at IS NULL
       AND (search_records.owner IS NULL OR (r.kind = 'pov' AND r.owner_id = search_records.owner))
     ORDER BY r.id = ANY(keyed) DESC, lower(r.title) <> asked, r.title, r.id
     LIMIT most;
END $$;
