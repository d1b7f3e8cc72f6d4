-- A log that is handed over keeps its classes: what stands here only as facts has the class that its own log told, and a
-- fact whose rows are not here is about what the log itself says that it is about.

create table slagkracht.told_class (
    world   slagkracht.world_name not null,
    region  text not null references slagkracht.region,
    subject text not null,
    information_class slagkracht.class_name not null,
    primary key (world, region, subject)
);
alter table slagkracht.told_class enable row level security;
alter table slagkracht.told_class force row level security;
create policy kept_by_owner on slagkracht.told_class to current_user using (true) with check (true);
create policy see_own on slagkracht.told_class for select
    using (world = slagkracht.world() and region = slagkracht.own());
create policy add_own on slagkracht.told_class for insert
    with check (world = slagkracht.world() and region = slagkracht.own());
create policy change_own on slagkracht.told_class for update
    using (world = slagkracht.world() and region = slagkracht.own());
create policy up_to_class on slagkracht.told_class as restrictive to slagkracht_app
    using (slagkracht.rank(information_class) <= (select slagkracht.clearance()));
grant select, insert on slagkracht.told_class to slagkracht_app;
grant update (information_class) on slagkracht.told_class to slagkracht_app;

create or replace function slagkracht.class_of(in_world text, subjects text[]) returns text language sql stable
    security definer set search_path = slagkracht, pg_temp as $$
    select (array['Open', 'Intern', 'Vertrouwelijk', 'Geheim'])[greatest(2, max(slagkracht.rank(each.information_class)))]
    from (select information_class from slagkracht.incident where incident_id = any (subjects)
          union all select information_class from slagkracht.unit where world = in_world and unit_id = any (subjects)
          union all select information_class from slagkracht.dossier where dossier_id = any (subjects)
          union all select information_class from slagkracht.told_class
              where world = in_world and subject = any (subjects)) each $$;

create index on slagkracht.event (world, (body->>'request')) where kind = 'request_made';
create index on slagkracht.event (world, (body->>'line')) where kind = 'line_asked';
create index on slagkracht.event (world, (body->>'offer')) where kind = 'offer_made';
create index on slagkracht.event (world, (body->>'commitment')) where kind = 'unit_committed';

create or replace function slagkracht.subjects_of(body jsonb) returns text[] language plpgsql stable security definer
    set search_path = slagkracht, pg_temp as $$
declare of_line text := body->>'line'; of_request text := body->>'request'; of_incident text := body->>'incident';
        given alias for body;
begin
    if not given ?| array['incident', 'request', 'line', 'offer', 'commitment', 'unit', 'dossier'] then
        return '{}';
    end if;
    if of_incident is null then
        if of_request is null then
            if of_line is null and given ? 'offer' then
                of_line := coalesce(
                    (select o.line_id from slagkracht.offer o where o.offer_id = given->>'offer'),
                    (select e.body->>'line' from slagkracht.event e where e.world = slagkracht.world()
                     and e.kind = 'offer_made' and e.body->>'offer' = given->>'offer'
                     limit 1));
            elsif of_line is null and given ? 'commitment' then
                of_line := coalesce(
                    (select c.line_id from slagkracht.commitment c where c.commitment_id = given->>'commitment'),
                    (select e.body->>'line' from slagkracht.event e where e.world = slagkracht.world()
                     and e.kind = 'unit_committed'
                     and e.body->>'commitment' = given->>'commitment' limit 1));
            end if;
            of_request := coalesce(
                (select l.request_id from slagkracht.request_line l where l.line_id = of_line),
                (select e.body->>'request' from slagkracht.event e where e.world = slagkracht.world()
                     and e.kind = 'line_asked' and e.body->>'line' = of_line limit 1));
        end if;
        of_incident := coalesce(
            (select q.incident_id from slagkracht.request q where q.request_id = of_request),
            (select e.body->>'incident' from slagkracht.event e where e.world = slagkracht.world()
                     and e.kind = 'request_made' and e.body->>'request' = of_request limit 1));
    end if;
    return array_remove(array[of_incident, given->>'unit', given->>'dossier'], null);
end $$;

-- A fact that was handed over and speaks of what is not here has a class that nobody here knows: then it is Geheim, until
-- the log of whose incident it is comes in too.
create function slagkracht.class_of_fact(in_world text, body jsonb, about text[]) returns text language sql stable
    security definer set search_path = slagkracht, pg_temp as $$
    select case when in_world = 'echt' and body ? 'handed_in'
            and body ?| array['request', 'line', 'offer', 'commitment'] and not exists (
                select 1 from slagkracht.incident where incident_id = any (about)) then 'Geheim'
        when about = '{}' then 'Intern' else slagkracht.class_of(in_world, about) end $$;

create or replace function slagkracht.classify_event() returns trigger language plpgsql as $$
begin
    new.about := slagkracht.subjects_of(new.body);
    if new.body ?& array['unit', 'x_m'] then
        new.about := array(select distinct unnest(
            new.about || slagkracht.incidents_of(new.world, new.body->>'unit', new.happened_at)) order by 1);
    end if;
    new.information_class := slagkracht.class_of_fact(new.world, new.body, new.about);
    return new;
end $$;

create function slagkracht.classify_handed_in() returns void language sql volatile security definer
    set search_path = slagkracht, pg_temp as $$
    update slagkracht.event e set about = found.about,
            information_class = slagkracht.class_of_fact(e.world, e.body, found.about)
        from (select chain, number, slagkracht.subjects_of(body) as about from slagkracht.event
              where world = slagkracht.world() and body ? 'handed_in' and not body ? 'incident'
                and body ?| array['request', 'line', 'offer', 'commitment']) found
        where e.world = slagkracht.world() and (e.chain, e.number) = (found.chain, found.number)
          and cardinality(found.about) > cardinality(e.about) $$;

-- Why what was handed over stands here as a fact alone; empty where it became what it says. Read with its fact.
alter table slagkracht.handed_in add column kept_why text not null default '';
create index on slagkracht.handed_in (world, region, number);
grant update (kept_why) on slagkracht.handed_in to slagkracht_app;
create policy change_own on slagkracht.handed_in for update
    using (world = slagkracht.world() and region = slagkracht.own());
create policy up_to_class on slagkracht.handed_in as restrictive for select to slagkracht_app using (
    (select slagkracht.clearance()) = 4 or exists (select 1 from slagkracht.event e where e.world = handed_in.world
        and e.chain = handed_in.region and e.number = handed_in.number));

-- A fact is never changed; who may read it, and what it is about, are no part of the fact. Who was let read goes on reading.
create or replace function slagkracht.refuse_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        if to_jsonb(new) - array['information_class', 'about', 'audience']
           = to_jsonb(old) - array['information_class', 'about', 'audience'] and new.audience @> old.audience then
            return new;
        end if;
    end if;
    raise exception 'het logboek wordt aangevuld, nooit gewijzigd' using errcode = 'P0001';
end $$;

-- Lets others read a fact of the acting region's own log, once it became what it says.
create function slagkracht.show_fact(which bigint, whom text[]) returns void language sql volatile security definer
    set search_path = slagkracht, pg_temp as $$
    update slagkracht.event set audience = array(select distinct unnest(audience || whom) except
            select slagkracht.own() order by 1)
        where world = slagkracht.world() and chain = slagkracht.own() and number = which $$;
revoke all on function slagkracht.show_fact(bigint, text[]), slagkracht.class_of_fact(text, jsonb, text[]),
    slagkracht.classify_handed_in() from public;
grant execute on function slagkracht.show_fact(bigint, text[]), slagkracht.class_of_fact(text, jsonb, text[]),
    slagkracht.classify_handed_in() to slagkracht_app;
