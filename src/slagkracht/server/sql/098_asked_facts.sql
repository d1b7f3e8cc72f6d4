-- Who is asked reads what was asked: the facts that made a request are shown to those who see the request itself.

create function slagkracht.show_request(which text) returns void language sql volatile security definer
    set search_path = slagkracht, pg_temp as $$
    update slagkracht.event e
        set audience = array(select distinct unnest(e.audience || q.audience) except select e.chain order by 1)
        from slagkracht.request q
        where q.request_id = which and q.world = slagkracht.world() and e.world = q.world and e.chain = q.region
          and (slagkracht.own() = q.region or (slagkracht.own() = 'LAC' and 'LAC' = any (q.audience)))
          and ((e.kind = 'request_made' and e.body->>'request' = which)
            or (e.kind = 'line_asked' and e.body->>'request' = which)) $$;
revoke all on function slagkracht.show_request(text) from public;
grant execute on function slagkracht.show_request(text) to slagkracht_app;

create index on slagkracht.event (world, (body->>'request')) where kind = 'line_asked';
create index on slagkracht.event (world, (body->>'incident'))
    where kind in ('incident_opened', 'incident_escalated', 'command_handed_over');
