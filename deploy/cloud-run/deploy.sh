#!/usr/bin/env bash
# Puts Rushes on Cloud Run, as a job at your table or your subscription, with the rights it needs and no others. It may be run
# again: what is there stays, and is brought up to date.
set -euo pipefail

here=$(cd -- "$(dirname -- "$0")" && pwd)
root=$(cd -- "$here/../.." && pwd)

usage() {
    cat <<'END'
deploy.sh COMMAND, with what it asks for in variables:

  processor   the example service that has Gemini watch a video     PROJECT
  bigquery    a job at a table of addresses                         PROJECT DATASET SOURCE TARGET PROCESSOR_URL
  pubsub      a job at a subscription                               PROJECT TOPIC SUBSCRIPTION BUCKET DATABASE_SECRET

Others, with what they are if not set:
  REGION=us-central1      where all of it runs
  JOB=rushes-COMMAND      the job's name
  IMAGE                   an image that is there already; by default it is built from this checkout
  SCHEDULE                when the job runs, such as "*/15 * * * *"; by default only when it is told to
  PROCESSOR_SERVICE       the Cloud Run service behind PROCESSOR_URL, if the job is to be allowed to call it
END
}

say() { printf '\n\033[1m%s\033[0m\n' "$*" >&2; }

fail() {
    printf 'deploy.sh: %s\n' "$*" >&2
    exit 2
}

wanted() {
    local missing=() name
    for name in "$@"; do
        [[ -n ${!name:-} ]] || missing+=("$name")
    done
    ((${#missing[@]} == 0)) || fail "not set: ${missing[*]}"
}

# Makes something, if asking for it finds nothing: exists "describe …" || create.
exists() { gcloud "$@" --project "$PROJECT" --format none >/dev/null 2>&1; }

enable() {
    say "The services of Google Cloud that are used"
    gcloud services enable "$@" --project "$PROJECT"
}

account() { # NAME DESCRIPTION: one identity for one purpose
    local email="$1@$PROJECT.iam.gserviceaccount.com"
    exists iam service-accounts describe "$email" ||
        gcloud iam service-accounts create "$1" --display-name "$2" --project "$PROJECT" >&2
    printf '%s' "$email"
}

on_project() { # ACCOUNT ROLE
    gcloud projects add-iam-policy-binding "$PROJECT" --member "serviceAccount:$1" --role "$2" \
        --condition None --format none
}

bucket() { # gs://NAME
    exists storage buckets describe "$1" ||
        gcloud storage buckets create "$1" --location "$REGION" --project "$PROJECT" --uniform-bucket-level-access
}

# The image, built by an identity of its own: whoever builds may read the upload, push to one repository, and write its log.
image() { # SET
    if [[ -n ${IMAGE:-} ]]; then return; fi
    say "The image ($1)"
    exists artifacts repositories describe rushes --location "$REGION" ||
        gcloud artifacts repositories create rushes --repository-format docker --location "$REGION" --project "$PROJECT"
    local builder
    builder=$(account rushes-builder "Builds the image of Rushes")
    gcloud artifacts repositories add-iam-policy-binding rushes --location "$REGION" --project "$PROJECT" \
        --member "serviceAccount:$builder" --role roles/artifactregistry.writer --format none
    on_project "$builder" roles/logging.logWriter
    # This checkout is uploaded to a bucket of its own: whoever builds may read that one, and no other of the project's.
    local uploads="gs://$PROJECT-rushes-builds"
    bucket "$uploads"
    gcloud storage buckets add-iam-policy-binding "$uploads" --project "$PROJECT" \
        --member "serviceAccount:$builder" --role roles/storage.objectViewer --format none
    IMAGE=$REGION-docker.pkg.dev/$PROJECT/rushes/rushes-$1:$(date -u +%Y%m%d-%H%M%S)
    gcloud builds submit "$root" --config "$root/deploy/cloudbuild.yaml" --project "$PROJECT" --region "$REGION" \
        --gcs-source-staging-dir "$uploads/source" \
        --service-account "projects/$PROJECT/serviceAccounts/$builder" --substitutions "_IMAGE=$IMAGE,_SET=$1"
}

# The job's description with ${NAME} filled in, for the names that are given.
filled() { # FILE NAME…
    local text name
    text=$(<"$1")
    shift
    for name in "$@"; do
        text=${text//"\${$name}"/"${!name}"}
    done
    [[ $text != *"\${"* ]] || fail "the job's description still has a \${…}"
    printf '%s\n' "$text"
}

replace() { # FILE NAME…
    say "The job $JOB"
    local description
    description=$(mktemp)
    filled "$@" >"$description"
    gcloud run jobs replace "$description" --region "$REGION" --project "$PROJECT"
    rm -f "$description"
}

# Whoever runs the job by the clock may do that and nothing else.
schedule() {
    if [[ -z ${SCHEDULE:-} ]]; then return; fi
    say "The schedule: $SCHEDULE"
    local clock verb=create
    clock=$(account rushes-scheduler "Runs the jobs of Rushes by the clock")
    gcloud run jobs add-iam-policy-binding "$JOB" --region "$REGION" --project "$PROJECT" \
        --member "serviceAccount:$clock" --role roles/run.invoker --format none
    if exists scheduler jobs describe "$JOB" --location "$REGION"; then verb=update; fi
    # An access token, not an identity token: it is an API of Google's that is called.
    gcloud scheduler jobs "$verb" http "$JOB" --location "$REGION" --project "$PROJECT" --schedule "$SCHEDULE" \
        --http-method POST --uri "https://run.googleapis.com/v2/projects/$PROJECT/locations/$REGION/jobs/$JOB:run" \
        --oauth-service-account-email "$clock" --attempt-deadline 60s
}

processor() {
    wanted PROJECT
    enable aiplatform.googleapis.com artifactregistry.googleapis.com cloudbuild.googleapis.com iam.googleapis.com \
        run.googleapis.com >&2
    local own
    own=$(account url-processor "Has Gemini watch videos")
    # To ask Gemini. For files at gs:// give it roles/storage.objectViewer on their bucket.
    on_project "$own" roles/aiplatform.user >&2
    say "The service url-processor"
    gcloud run deploy url-processor --source "$root/examples/url_processor" --function process_url \
        --base-image python313 --region "$REGION" --project "$PROJECT" --no-allow-unauthenticated \
        --service-account "$own" --concurrency 80 --timeout 600 --set-env-vars \
        "GOOGLE_GENAI_USE_VERTEXAI=true,GOOGLE_CLOUD_PROJECT=$PROJECT,GOOGLE_CLOUD_LOCATION=global,THREADS=80" >&2
    # The address, and nothing else, is what this command prints.
    gcloud run services describe url-processor --region "$REGION" --project "$PROJECT" --format "value(status.url)"
}

bigquery() {
    wanted PROJECT DATASET SOURCE TARGET PROCESSOR_URL
    enable artifactregistry.googleapis.com bigquery.googleapis.com cloudbuild.googleapis.com \
        cloudscheduler.googleapis.com iam.googleapis.com run.googleapis.com storage.googleapis.com
    JOB=${JOB:-rushes-bigquery}
    image process
    say "The job's identity"
    ACCOUNT=$(account rushes-bigquery "The job of Rushes at BigQuery")
    # To run queries and load jobs; what they may touch is the next right.
    on_project "$ACCOUNT" roles/bigquery.jobUser
    # To read and mark rows, to write results, and to make the tables in which they are staged: in this dataset alone.
    bq query --project_id "$PROJECT" --use_legacy_sql=false --format none \
        "GRANT \`roles/bigquery.dataEditor\` ON SCHEMA \`$PROJECT.$DATASET\` TO 'serviceAccount:$ACCOUNT'"
    if [[ -n ${PROCESSOR_SERVICE:-} ]]; then
        # To call the processor.
        gcloud run services add-iam-policy-binding "$PROCESSOR_SERVICE" --region "$REGION" --project "$PROJECT" \
            --member "serviceAccount:$ACCOUNT" --role roles/run.invoker --format none
    fi
    replace "$here/bigquery-job.yaml" JOB PROJECT ACCOUNT IMAGE DATASET SOURCE TARGET PROCESSOR_URL
    schedule
}

# The topic of messages that nobody could do, and a subscription to it: a topic without one forgets what comes.
dead_letters() {
    DEAD=$TOPIC-dead-letters
    exists pubsub topics describe "$DEAD" || gcloud pubsub topics create "$DEAD" --project "$PROJECT"
    exists pubsub subscriptions describe "$DEAD" ||
        gcloud pubsub subscriptions create "$DEAD" --topic "$DEAD" --project "$PROJECT" \
            --message-retention-duration 31d --expiration-period never
}

subscription() {
    exists pubsub topics describe "$TOPIC" || gcloud pubsub topics create "$TOPIC" --project "$PROJECT"
    dead_letters
    local policy=(--dead-letter-topic "$DEAD" --max-delivery-attempts 5 --min-retry-delay 10s --max-retry-delay 600s)
    if exists pubsub subscriptions describe "$SUBSCRIPTION"; then
        gcloud pubsub subscriptions update "$SUBSCRIPTION" --project "$PROJECT" "${policy[@]}"
    else
        gcloud pubsub subscriptions create "$SUBSCRIPTION" --topic "$TOPIC" --project "$PROJECT" \
            --ack-deadline 60 --message-retention-duration 7d --expiration-period never "${policy[@]}"
    fi
    # It is Pub/Sub itself that moves a message there after its last attempt: without these two rights it never does.
    local number agent
    number=$(gcloud projects describe "$PROJECT" --format "value(projectNumber)")
    agent=service-$number@gcp-sa-pubsub.iam.gserviceaccount.com
    gcloud pubsub topics add-iam-policy-binding "$DEAD" --project "$PROJECT" \
        --member "serviceAccount:$agent" --role roles/pubsub.publisher --format none
    gcloud pubsub subscriptions add-iam-policy-binding "$SUBSCRIPTION" --project "$PROJECT" \
        --member "serviceAccount:$agent" --role roles/pubsub.subscriber --format none
}

pubsub() {
    wanted PROJECT TOPIC SUBSCRIPTION BUCKET DATABASE_SECRET
    enable artifactregistry.googleapis.com cloudbuild.googleapis.com cloudscheduler.googleapis.com iam.googleapis.com \
        pubsub.googleapis.com run.googleapis.com secretmanager.googleapis.com storage.googleapis.com
    exists secrets describe "$DATABASE_SECRET" || fail "there is no secret $DATABASE_SECRET: make it first, of the URL"
    JOB=${JOB:-rushes-pubsub}
    image full
    say "Topic, subscription and dead letters"
    subscription
    say "The job's identity"
    ACCOUNT=$(account rushes-pubsub "The job of Rushes at Pub/Sub")
    # To pull and acknowledge; to read how the subscription is set up, such as where its dead letters go.
    local role
    for role in roles/pubsub.subscriber roles/pubsub.viewer; do
        gcloud pubsub subscriptions add-iam-policy-binding "$SUBSCRIPTION" --project "$PROJECT" \
            --member "serviceAccount:$ACCOUNT" --role "$role" --format none
    done
    # To hand on at once what no retry can help.
    gcloud pubsub topics add-iam-policy-binding "$DEAD" --project "$PROJECT" \
        --member "serviceAccount:$ACCOUNT" --role roles/pubsub.publisher --format none
    # To read and write the files that are made.
    bucket "gs://$BUCKET"
    gcloud storage buckets add-iam-policy-binding "gs://$BUCKET" --project "$PROJECT" \
        --member "serviceAccount:$ACCOUNT" --role roles/storage.objectUser --format none
    # To read the database's URL.
    gcloud secrets add-iam-policy-binding "$DATABASE_SECRET" --project "$PROJECT" \
        --member "serviceAccount:$ACCOUNT" --role roles/secretmanager.secretAccessor --format none
    replace "$here/pubsub-job.yaml" JOB PROJECT ACCOUNT IMAGE SUBSCRIPTION BUCKET DATABASE_SECRET
    schedule
}

REGION=${REGION:-us-central1}
case ${1:-} in
    processor) processor ;;
    bigquery | pubsub) "$1" >&2 ;;
    "" | help | -h | --help) usage ;;
    *)
        usage >&2
        exit 2
        ;;
esac
