-- The tables of the tracking database, run as the owner. Repeating it changes nothing.
CREATE TABLE IF NOT EXISTS public.experiments (
    experiment_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS public.runs (
    run_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    experiment_id bigint NOT NULL REFERENCES public.experiments,
    status text NOT NULL DEFAULT 'RUNNING'
        CHECK (status IN ('RUNNING', 'FINISHED', 'FAILED', 'KILLED')),
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);

-- What Vault may pass on to the logins it makes. Tables made later are covered by the defaults.
GRANT USAGE ON SCHEMA public TO vault WITH GRANT OPTION;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO vault WITH GRANT OPTION;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO vault WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO vault WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO vault WITH GRANT OPTION;
