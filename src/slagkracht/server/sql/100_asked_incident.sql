-- Who is asked sees what for: also where the action centre asks, the incident of a request, and the facts of the named
-- kinds about it, are shown to those who see the request itself, up to the class of who reads.

create function slagkracht.show_incident_of(which text, kinds text[]) returns void language sql volatile security definer
    set search_path = slagkracht, pg_temp as $$
    with shown as (
        update slagkracht.incident i set version = i.version + 1,
            audience = array(select distinct unnest(i.audience || q.audience) except select i.region order by 1)
        from slagkracht.request q
        where q.request_id = which and q.world = slagkracht.world() and i.incident_id = q.incident_id
          and (slagkracht.own() = q.region or (slagkracht.own() = 'LAC' and 'LAC' = any (q.audience)))
          and not i.audience @> array_remove(q.audience, i.region)
        returning i.world, i.region, i.incident_id, i.audience)
    update slagkracht.event e
        set audience = array(select distinct unnest(e.audience || shown.audience) except select e.chain order by 1)
        from shown where e.world = shown.world and e.chain = shown.region and e.kind = any (kinds)
          and e.body->>'incident' = shown.incident_id $$;
revoke all on function slagkracht.show_incident_of(text, text[]) from public;
grant execute on function slagkracht.show_incident_of(text, text[]) to slagkracht_app;
