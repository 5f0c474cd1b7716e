-- What crm_app and crm_system may have done for them without the right to do it themselves.
-- Each function has a fixed search path and reads the organisation from the setting itself.

-- Makes the monthly partitions of operation and api_call: `back` months behind, `months` ahead.
-- A partition gets no grant and no policy: it is reached through its parent only.
CREATE FUNCTION ensure_partitions(months integer, back integer DEFAULT 1) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    parent text;
    month timestamptz;
    child text;
    made integer := 0;
BEGIN
    IF months NOT BETWEEN 0 AND 24 OR back NOT BETWEEN 0 AND 240 THEN
        RAISE EXCEPTION 'ensure_partitions: at most 24 months ahead and 240 back';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('crm_admin.partitions', 0));
    FOREACH parent IN ARRAY ARRAY['operation', 'api_call'] LOOP
        FOR step IN -back..months LOOP
            month := date_trunc('month', now()) + make_interval(months => step);
            child := parent || to_char(month, '_YYYY_MM');
            CONTINUE WHEN to_regclass('public.' || child) IS NOT NULL;
            -- Attaching a finished table does not stop the readers and writers of its siblings.
            EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING ALL)', child, parent);
            EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                           parent, child, month, month + interval '1 month');
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;

-- Drops the partitions of one of both parents that end before a day: retention of whole months.
CREATE FUNCTION drop_partitions(parent text, before date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    child text;
    dropped integer := 0;
BEGIN
    IF parent NOT IN ('operation', 'api_call') THEN
        RAISE EXCEPTION 'drop_partitions: % has no partitions', parent;
    END IF;
    FOR child IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = ('public.' || parent)::regclass
           AND to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month' <= before
    LOOP
        EXECUTE format('DROP TABLE public.%I', child);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;

-- The hash of an audit row in its place of the chain.
CREATE FUNCTION audit_hash(previous text, place bigint, event audit_event) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp
SET timezone = 'UTC'
AS $$
    SELECT encode(sha256(convert_to(jsonb_build_array(
        previous, place, event.organization_id, event.id, event.at, event.actor_id, event.actor_name,
        event.action, event.object_type, event.object_id, event.before, event.after, event.address,
        event.request_id)::text, 'UTF8')), 'hex')
$$;

-- Adds the organisation's unsealed audit rows to its chain, oldest first; returns how many.
CREATE FUNCTION seal_audit() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    mine uuid := nullif(current_setting('app.organization_id', true), '')::uuid;
    event audit_event;
    place bigint;
    hash text;
    done integer := 0;
BEGIN
    IF mine IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('crm_admin.audit.' || mine, 0));
    SELECT e.sealed_as, e.seal INTO place, hash FROM audit_event e
     WHERE e.organization_id = mine AND e.sealed_as IS NOT NULL ORDER BY e.sealed_as DESC LIMIT 1;
    FOR event IN
        SELECT * FROM audit_event e
         WHERE e.organization_id = mine AND e.sealed_as IS NULL ORDER BY e.at, e.id
    LOOP
        place := coalesce(place, 0) + 1;
        hash := audit_hash(hash, place, event);
        UPDATE audit_event e SET sealed_as = place, seal = hash
         WHERE e.organization_id = mine AND e.id = event.id;
        done := done + 1;
    END LOOP;
    RETURN done;
END $$;

-- Returns the first place of the organisation's chain that does not hold, null when all do.
CREATE FUNCTION audit_broken_at() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET timezone = 'UTC'
AS $$
    SELECT min(c.place) FROM (
        SELECT row_number() OVER chain AS place, e.sealed_as, e.seal,
               audit_hash(lag(e.seal) OVER chain, e.sealed_as, e) AS expected
          FROM audit_event e
         WHERE e.organization_id = nullif(current_setting('app.organization_id', true), '')::uuid
           AND e.sealed_as IS NOT NULL
        WINDOW chain AS (ORDER BY e.sealed_as)) AS c
     WHERE c.place <> c.sealed_as OR c.seal <> c.expected
$$;

-- Finds the organisation's records whose title holds every word as a beginning, or that have a
-- key beginning with the text. Row-level security would make these index look-ups scans; here
-- the organisation is a plain condition. `owner` narrows the answer to that person's POVs.
CREATE FUNCTION search_records(query text, kinds text[], owner uuid, most integer)
RETURNS TABLE (record_id uuid, kind text, title text, by_key boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    mine uuid := nullif(current_setting('app.organization_id', true), '')::uuid;
    asked text := lower(btrim(left(query, 200)));
    words tsquery;
BEGIN
    IF mine IS NULL OR asked = '' THEN
        RETURN;
    END IF;
    SELECT to_tsquery('simple', string_agg(quote_literal(w.word) || ':*', ' & ')) INTO words
      FROM (SELECT t.word FROM regexp_split_to_table(regexp_replace(asked, '[\\''[:cntrl:]]', ' ', 'g'), '\s+')
                   AS t (word) WHERE t.word <> '' LIMIT 8) AS w;
    RETURN QUERY
    WITH found AS (
        (SELECT k.record_id, true AS by_key
           FROM unnest(kinds) AS one (kind)
          CROSS JOIN unnest(ARRAY['email', 'phone', 'domain', 'exact']) AS type (name)
          CROSS JOIN LATERAL (
                SELECT rk.record_id FROM record_key rk
                 WHERE rk.organization_id = mine AND rk.kind = one.kind AND rk.key_type = type.name
                   AND rk.value >= asked AND rk.value < asked || U&'\+10FFFF'
                 ORDER BY rk.value LIMIT most) AS k)
        UNION ALL
        (SELECT r.id, false FROM record r
          WHERE r.organization_id = mine AND r.kind = ANY(kinds) AND r.deleted_at IS NULL
            AND to_tsvector('simple'::regconfig, coalesce(r.title, '')) @@ words
          LIMIT most * 20))
    SELECT r.id, r.kind, r.title, bool_or(f.by_key)
      FROM found f JOIN record r ON r.organization_id = mine AND r.id = f.record_id
     WHERE r.deleted_at IS NULL
       AND (search_records.owner IS NULL OR (r.kind = 'pov' AND r.owner_id = search_records.owner))
     GROUP BY r.id, r.kind, r.title
     ORDER BY bool_or(f.by_key) DESC, lower(r.title) <> asked, r.title, r.id
     LIMIT most;
END $$;
