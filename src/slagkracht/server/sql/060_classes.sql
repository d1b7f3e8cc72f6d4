-- Information classes, enforced: who acts for a region sees what is of the highest class that a mandate of his names, and
-- nothing above it, next to what row-level security already asks. A class follows what it is about: a request, its lines
-- and its offers have that of their incident; a fact has the highest of what it speaks about.

do $$
begin
    if current_user = 'slagkracht_app' then
        raise exception 'de tabellen worden gelegd door een andere rol dan slagkracht_app, die langs geen grens heen kijkt';
    end if;
end $$;

create function slagkracht.rank(of_class text) returns integer language sql immutable
    return array_position(array['Open', 'Intern', 'Vertrouwelijk', 'Geheim'], of_class);

alter table slagkracht.unit add column information_class slagkracht.class_name not null default 'Intern';
alter table slagkracht.dossier add column information_class slagkracht.class_name not null default 'Intern';
alter table slagkracht.event add column information_class slagkracht.class_name not null default 'Intern';
alter table slagkracht.event add column about text[] not null default '{}';
alter table slagkracht.subscription add column information_class slagkracht.class_name not null default 'Intern';
create index on slagkracht.event using gin (about) where about <> '{}';

-- The functions below act as the owner of the tables, who is bound by the policies too.
do $$
declare t text;
begin
    foreach t in array array['event', 'incident', 'request', 'request_line', 'offer', 'commitment', 'unit', 'dossier']
    loop
        execute format('create policy kept_by_owner on slagkracht.%I to current_user using (true) with check (true)', t);
    end loop;
end $$;

-- How high whoever acts may look. The platform itself (no account) looks at all, or as high as it sets for itself.
-- Who keeps mandates reads nothing by that.
create function slagkracht.clearance() returns integer language sql stable security definer
    set search_path = slagkracht, pg_temp as $$
    select case when slagkracht.account() is null
        then case when coalesce(current_setting('slagkracht.class', true), '') = '' then 4
            else coalesce(slagkracht.rank(current_setting('slagkracht.class', true)), 0) end
        else coalesce((select max(slagkracht.rank(m.information_class)) from slagkracht.mandate m
            where m.account_id = slagkracht.account() and m.region = slagkracht.own() and m.world = slagkracht.world()
            and m.role <> 'beheerder' and m.starts_at <= now() and now() < m.until), 0) end $$;

create function slagkracht.rank_of_incident(which text) returns integer language sql stable security definer
    set search_path = slagkracht, pg_temp
    as $$ select slagkracht.rank(information_class) from slagkracht.incident where incident_id = which $$;

create function slagkracht.rank_of_line(which text) returns integer language sql stable security definer
    set search_path = slagkracht, pg_temp
    as $$ select slagkracht.rank(i.information_class) from slagkracht.request_line l join slagkracht.request q
          using (request_id) join slagkracht.incident i on i.incident_id = q.incident_id where l.line_id = which $$;

create policy up_to_class on slagkracht.incident as restrictive to slagkracht_app
    using (slagkracht.rank(information_class) <= (select slagkracht.clearance()));
create policy up_to_class on slagkracht.unit as restrictive to slagkracht_app
    using (slagkracht.rank(information_class) <= (select slagkracht.clearance()));
create policy up_to_class on slagkracht.dossier as restrictive to slagkracht_app
    using (slagkracht.rank(information_class) <= (select slagkracht.clearance()));
create policy up_to_class on slagkracht.event as restrictive for select to slagkracht_app
    using (slagkracht.rank(information_class) <= (select slagkracht.clearance()));
create policy up_to_class on slagkracht.request as restrictive to slagkracht_app
    using ((select slagkracht.clearance()) = 4
        or slagkracht.rank_of_incident(incident_id) <= (select slagkracht.clearance()));
create policy up_to_class on slagkracht.rotation as restrictive to slagkracht_app
    using ((select slagkracht.clearance()) = 4
        or slagkracht.rank_of_incident(incident_id) <= (select slagkracht.clearance()));
create policy up_to_class on slagkracht.request_line as restrictive for select to slagkracht_app
    using ((select slagkracht.clearance()) = 4
        or slagkracht.rank_of_line(line_id) <= (select slagkracht.clearance()));
create policy up_to_class on slagkracht.offer as restrictive to slagkracht_app
    using ((select slagkracht.clearance()) = 4
        or slagkracht.rank_of_line(line_id) <= (select slagkracht.clearance()));

-- What a fact is about, and the class that follows from it: found by the database, not said by a program.
create function slagkracht.subjects_of(body jsonb) returns text[] language plpgsql stable security definer
    set search_path = slagkracht, pg_temp as $$
declare of_line text := body->>'line'; of_request text := body->>'request'; of_incident text := body->>'incident';
begin
    if not body ?| array['incident', 'request', 'line', 'offer', 'commitment', 'unit', 'dossier'] then
        return '{}';
    end if;
    if of_incident is null then
        if of_request is null then
            if of_line is null and body ? 'offer' then
                of_line := (select line_id from slagkracht.offer where offer_id = body->>'offer');
            elsif of_line is null and body ? 'commitment' then
                of_line := (select line_id from slagkracht.commitment where commitment_id = body->>'commitment');
            end if;
            of_request := (select request_id from slagkracht.request_line where line_id = of_line);
        end if;
        of_incident := (select incident_id from slagkracht.request where request_id = of_request);
    end if;
    return array_remove(array[of_incident, body->>'unit', body->>'dossier'], null);
end $$;

create function slagkracht.class_of(in_world text, subjects text[]) returns text language sql stable security definer
    set search_path = slagkracht, pg_temp as $$
    select (array['Open', 'Intern', 'Vertrouwelijk', 'Geheim'])[greatest(2, max(slagkracht.rank(each.information_class)))]
    from (select information_class from slagkracht.incident where incident_id = any (subjects)
          union all select information_class from slagkracht.unit where world = in_world and unit_id = any (subjects)
          union all select information_class from slagkracht.dossier where dossier_id = any (subjects)) each $$;

create function slagkracht.classify_event() returns trigger language plpgsql as $$
begin
    new.about := slagkracht.subjects_of(new.body);
    new.information_class := case when new.about = '{}' then 'Intern'
        else slagkracht.class_of(new.world, new.about) end;
    return new;
end $$;
create trigger classify before insert on slagkracht.event
    for each row execute function slagkracht.classify_event();

-- A fact is never changed; who may read it is not part of the fact.
create or replace function slagkracht.refuse_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        if to_jsonb(new) - 'information_class' = to_jsonb(old) - 'information_class' then
            return new;
        end if;
    end if;
    raise exception 'het logboek wordt aangevuld, nooit gewijzigd' using errcode = 'P0001';
end $$;

-- Gives an incident, a unit or a dossier of the acting region another class, and every fact about it with it. False
-- where it is not there for whoever asks, or the class is above what he may look at.
create function slagkracht.classify(what text, which text, into_class text) returns boolean language plpgsql
    security definer set search_path = slagkracht, pg_temp as $$
declare may integer := slagkracht.clearance();
begin
    if what not in ('incident', 'unit', 'dossier') or slagkracht.rank(into_class) is null
       or slagkracht.rank(into_class) > may then
        return false;
    end if;
    if what = 'incident' then
        update slagkracht.incident set information_class = into_class, version = version + 1
            where incident_id = which and world = slagkracht.world() and region = slagkracht.own()
            and slagkracht.rank(information_class) <= may;
    elsif what = 'unit' then
        update slagkracht.unit set information_class = into_class
            where unit_id = which and world = slagkracht.world() and region = slagkracht.own()
            and slagkracht.rank(information_class) <= may;
    else
        update slagkracht.dossier set information_class = into_class, version = version + 1
            where dossier_id = which and world = slagkracht.world() and region = slagkracht.own()
            and slagkracht.rank(information_class) <= may;
    end if;
    if not found then
        return false;
    end if;
    update slagkracht.event set information_class = slagkracht.class_of(world, about)
        where world = slagkracht.world() and about @> array[which];
    return true;
end $$;

-- The next entry of a chain follows the last one, also where whoever records may not read it.
create or replace function slagkracht.lock_chain(of_world text, of_chain text, out now timestamptz, out line text)
    language plpgsql volatile security definer set search_path = slagkracht, pg_temp as $$
begin
    if of_chain is distinct from slagkracht.own() or of_world is distinct from slagkracht.world() then
        raise exception 'een logboek wordt aangevuld door de regio waar het van is' using errcode = 'P0001';
    end if;
    perform pg_advisory_xact_lock(hashtextextended(of_world || '/' || of_chain, 0));
    now := clock_timestamp();
    line := (select e.line from slagkracht.event e where e.world = of_world and e.chain = of_chain
             order by e.number desc limit 1);
end $$;

-- How long the own chain is, to tell a chain that ends from one that one may not read to the end.
create function slagkracht.own_chain_length() returns bigint language sql stable security definer
    set search_path = slagkracht, pg_temp as $$ select count(*) from slagkracht.event
    where world = slagkracht.world() and chain = slagkracht.own() $$;

-- A mandate names its class and its first day too; nobody gives more than the mandate names by which he gives.
create function slagkracht.give_mandate(to_account bigint, of_role text, over text, starts timestamptz,
                                        until_at timestamptz, up_to text)
    returns bigint language plpgsql security definer set search_path = slagkracht, pg_temp as $$
declare made bigint;
begin
    if not slagkracht.holds('beheerder') then
        raise exception 'mandaat geven is aan de beheerder van %', slagkracht.own() using errcode = 'P0001';
    end if;
    if not exists (select 1 from slagkracht.person p where p.account_id = to_account and p.region = slagkracht.own()) then
        raise exception 'deze persoon hoort niet bij %', slagkracht.own() using errcode = 'P0001';
    end if;
    if slagkracht.rank(up_to) > (
        select max(slagkracht.rank(information_class)) from slagkracht.mandate where account_id = slagkracht.account()
        and region = slagkracht.own() and world = slagkracht.world() and role = 'beheerder'
        and starts_at <= now() and now() < until)
    then
        raise exception 'u kunt geen mandaat geven tot en met %', up_to using errcode = 'P0001';
    end if;
    insert into slagkracht.mandate (account_id, region, role, what, information_class, world, starts_at, until)
        values (to_account, slagkracht.own(), of_role, over, up_to, slagkracht.world(), starts, until_at)
        returning mandate_id into made;
    return made;
end $$;
drop function slagkracht.give_mandate(bigint, text, text, timestamptz);

revoke all on function slagkracht.clearance(), slagkracht.rank_of_incident(text), slagkracht.rank_of_line(text),
    slagkracht.subjects_of(jsonb), slagkracht.class_of(text, text[]), slagkracht.classify(text, text, text),
    slagkracht.own_chain_length(),
    slagkracht.give_mandate(bigint, text, text, timestamptz, timestamptz, text) from public;
grant execute on function slagkracht.clearance(), slagkracht.rank_of_incident(text), slagkracht.rank_of_line(text),
    slagkracht.subjects_of(jsonb), slagkracht.class_of(text, text[]), slagkracht.classify(text, text, text),
    slagkracht.own_chain_length(),
    slagkracht.give_mandate(bigint, text, text, timestamptz, timestamptz, text) to slagkracht_app;
