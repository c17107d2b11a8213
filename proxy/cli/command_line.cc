#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <map>
#include <string>
#include <vector>

#include "cli/check.h"
#include "cli/configuration_file.h"
#include "cli/drain.h"
#include "cli/explain.h"
#include "cli/health.h"
#include "cli/keygen.h"
#include "cli/proof.h"
#include "cli/schema.h"
#include "cli/test.h"
#include "cli/version.h"
#include "settings/suggest.h"

namespace holdfast::cli {
namespace {

const std::map<std::string, settings::LogLevel> kLogLevels{{"trace", settings::LogLevel::kTrace},
                                                           {"debug", settings::LogLevel::kDebug},
                                                           {"info", settings::LogLevel::kInfo},
                                                           {"warning", settings::LogLevel::kWarning},
                                                           {"error", settings::LogLevel::kError}};

// Where a command's configuration comes from. Each command has its own: CLI11 reads the variables of commands
// that were not given, too, and would put them over what the given one was told.
struct ConfigOptions {
  std::string run;
  std::string check;
  std::string explain;
  std::string test;
};

struct Arguments {
  ConfigOptions config;
  std::optional<std::string> log_level;
  std::optional<std::filesystem::path> takeover;
  CheckOptions check;
  ExplainOptions explain;
  std::string cases;
  DrainOptions drain;
  ProofOptions proof;
  std::string algorithm = "ES256";
  std::string health_url = "http://127.0.0.1:9080/readyz";
  bool json = false;
};

void add_config(CLI::App& command, std::string& config) {
  command.add_option("-c,--config", config, "The configuration, a YAML file")
      ->envname("HOLDFAST_CONFIG")
      ->required();
}

int run_command(const Arguments& arguments, const Run& run) {
  const auto read = [file = arguments.config.run,
                     log_level = arguments.log_level](const settings::Settings* running) {
    settings::Loaded loaded = read_configuration(file, running);
    // A flag beats the file whenever that is read.
    if (log_level && loaded.settings) loaded.settings->log.level = kLogLevels.at(*log_level);
    return loaded;
  };
  RunOptions options;
  {
    settings::Loaded loaded = read(nullptr);
    print_problems(loaded, arguments.config.run);
    if (!loaded.settings) return kFailed;
    options = {.settings = *std::move(loaded.settings),
               .shown = std::move(loaded.shown),
               .takeover = arguments.takeover,
               .read_anew = [read](const settings::Settings& running) { return read(&running); }};
  }
  return run(std::move(options));
}

struct Commands {
  CLI::App* run;
  CLI::App* drain;
  CLI::App* check;
  CLI::App* explain;
  CLI::App* test;
  CLI::App* proof;
  CLI::App* keygen;
  CLI::App* schema;
  CLI::App* health;
  CLI::App* version;
};

Commands describe(CLI::App& app, Arguments& arguments) {
  app.require_subcommand(1);
  app.set_version_flag("--version", "holdfast " + std::string(program_version()),
                       "The version; `holdfast version` says more");
  Commands commands{};

  commands.run = app.add_subcommand("run", "Serve; SIGHUP reloads, SIGTERM drains");
  add_config(*commands.run, arguments.config.run);
  const CLI::Validator level = CLI::IsMember({"trace", "debug", "info", "warning", "error"});
  commands.run->add_option("--log-level", arguments.log_level, "trace, debug, info, warning or error")
      ->envname("HOLDFAST_LOG_LEVEL")
      ->check([run = commands.run, level](const std::string& word) {
        return run->parsed() ? level(word) : std::string();  // a broken variable is no matter of `health`
      });
  commands.run->add_option(
      "--takeover", arguments.takeover,
      "A UNIX socket: take over from the process that listens there, if any, and let the "
      "next one take over from this");

  commands.drain = app.add_subcommand("drain", "Make the running process drain, and wait until it is gone");
  commands.drain->add_option("--pid", arguments.drain.pid, "The process, where several run")
      ->check(CLI::PositiveNumber);
  commands.drain->add_option("--timeout", arguments.drain.timeout_seconds, "Seconds to wait; 0: do not wait")
      ->check(CLI::Range(0, 86'400));

  commands.check = app.add_subcommand("check", "Validate a configuration");
  add_config(*commands.check, arguments.config.check);
  commands.check->add_flag("--online", arguments.check.online,
                           "Also reach what it names: issuers and upstreams");
  commands.check->add_flag("--strict", arguments.check.strict, "Warnings fail, too");
  commands.check->add_flag("--json", arguments.check.json, "The outcome as one JSON object on stdout");

  commands.explain = app.add_subcommand(
      "explain", "Judge one request as the proxy would, or say why it refused one, check by check");
  add_config(*commands.explain, arguments.config.explain);
  CLI::Option* const request = commands.explain->add_option(
      "--request", arguments.explain.request, "A file, or - for stdin: a curl command or raw HTTP");
  commands.explain
      ->add_option("--id", arguments.explain.id,
                   "Or the request_id of one that the running proxy refused: its admin listener is asked")
      ->excludes(request);
  commands.explain
      ->add_option("--jwks", arguments.explain.jwks,
                   "A JWK set to take for every issuer's keys, instead of fetching them")
      ->needs(request);
  commands.explain
      ->add_option("--listener", arguments.explain.listener, "The listener that the request came to")
      ->needs(request);
  commands.explain->add_option("--peer", arguments.explain.peer, "The address that it came from")
      ->capture_default_str()
      ->needs(request);
  commands.explain
      ->add_option("--client-certificate", arguments.explain.client_certificate,
                   "The client's certificate, PEM, on listeners that ask for one")
      ->needs(request);
  commands.explain
      ->add_option("--now", arguments.explain.now,
                   "The time to judge it at: seconds since 1970, or 2026-11-25T18:00:00Z")
      ->needs(request);

  commands.test = app.add_subcommand("test", "Compare what a configuration decides with a file of cases");
  add_config(*commands.test, arguments.config.test);
  commands.test->add_option("cases", arguments.cases, "The cases, a YAML file")->required();

  commands.proof = app.add_subcommand("proof", "A DPoP proof, for the DPoP header of curl");
  commands.proof->add_option("--key", arguments.proof.key_file, "The private key, PEM")->required();
  commands.proof->add_option("--method", arguments.proof.method, "The request's method (htm)")->required();
  commands.proof->add_option("--url", arguments.proof.url, "The request's URL (htu)")->required();
  commands.proof->add_option("--token-file", arguments.proof.token_file, "The access token (ath)");
  commands.proof->add_option("--nonce", arguments.proof.nonce, "The server's last DPoP-Nonce");

  commands.keygen = app.add_subcommand("keygen", "A private key on stdout (PEM), its thumbprint on stderr");
  commands.keygen->add_option("--alg", arguments.algorithm, "The algorithm that it will sign with")
      ->capture_default_str();

  commands.schema =
      app.add_subcommand("schema", "The JSON Schema (draft-07) of the configuration, for editors");

  commands.health = app.add_subcommand("health", "Ask a probe, for a container's health check");
  commands.health->add_option("url", arguments.health_url, "Where the probe is")->capture_default_str();

  commands.version = app.add_subcommand("version", "Version, commit and library versions");
  commands.version->add_flag("--json", arguments.json, "As one JSON object");
  return commands;
}

// CLI11 would only say that a command is required.
bool is_unknown_command(const CLI::App& app, const std::string& word) {
  if (word.starts_with('-')) return false;
  std::vector<std::string> known;
  for (const CLI::App* command : app.get_subcommands(nullptr)) known.push_back(command->get_name());
  if (std::ranges::find(known, word) != known.end()) return false;
  std::fprintf(stderr, "holdfast: no command is named \"%s\"%s\nRun with --help for the list.\n",
               settings::quotable(word).c_str(), settings::did_you_mean(word, known).c_str());
  return true;
}

int dispatch(const Commands& commands, const Arguments& arguments, const Actions& actions) {
  if (commands.run->parsed()) return run_command(arguments, actions.run);
  if (commands.drain->parsed()) return drain(arguments.drain);
  if (commands.check->parsed())
    return check(arguments.config.check, arguments.check, actions.try_out, actions.reach);
  if (commands.explain->parsed())
    return explain(arguments.config.explain, arguments.explain, actions.explain, actions.recall);
  if (commands.test->parsed()) return test(arguments.config.test, arguments.cases, actions.decide);
  if (commands.proof->parsed()) return proof(arguments.proof);
  if (commands.keygen->parsed()) return keygen(arguments.algorithm);
  if (commands.schema->parsed()) return schema();
  if (commands.health->parsed()) return health(arguments.health_url);
  return version(arguments.json);
}

}  // namespace

int main(int argc, char** argv, const Actions& actions) {
  CLI::App app(
      "Holdfast: a reverse proxy that makes every request prove possession of its token's key (DPoP, RFC "
      "9449)",
      "holdfast");
  Arguments arguments;
  const Commands commands = describe(app, arguments);
  if (argc > 1 && is_unknown_command(app, argv[1])) return kUsage;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // --help is no error, and its text is what was asked for
    const int code = app.exit(error);
    return code == 0 ? kDone : kUsage;
  }
  try {
    return dispatch(commands, arguments, actions);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "holdfast: %s\n", error.what());
    return kFailed;
  }
}

}  // namespace holdfast::cli
