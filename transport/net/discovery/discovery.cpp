#include "transport/net/discovery/discovery.hpp"

#include <avahi-common/alternative.h>
#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <avahi-common/thread-watch.h>
#include <avahi-common/timeval.h>
#include <avahi-core/core.h>
#include <avahi-core/log.h>
#include <avahi-core/lookup.h>
#include <avahi-core/publish.h>

#include <charconv>
#include <map>

#include "transport/net/discovery/interfaces.hpp"

namespace tillsync {

namespace {
constexpr char kService[] = "_tillsync._tcp";
constexpr unsigned kLookAgainMs = 15'000;  // for addresses that came or went: nobody tells us

std::string hex(std::uint64_t n) {
  char text[17] = {};
  std::to_chars(text, text + 16, n, 16);
  return text;
}
}  // namespace

struct Discovery::Impl {
  DiscoverySettings settings;
  std::function<void(Sighting)> on_seen;
  Log log;
  AvahiThreadedPoll* poll = nullptr;
  AvahiServer* server = nullptr;
  AvahiSEntryGroup* group = nullptr;
  AvahiSServiceBrowser* browser = nullptr;
  AvahiTimeout* look_again = nullptr;
  std::string instance;
  std::vector<InterfaceAddress> published;
  std::uint64_t term = 0;
  bool host = false;
  std::uint64_t renames = 0;

  ~Impl() {
    if (poll != nullptr) avahi_threaded_poll_stop(poll);
    if (server != nullptr) avahi_server_free(server);
    if (poll != nullptr) avahi_threaded_poll_free(poll);
  }

  AvahiStringList* text_record() const {
    const std::string v = "v=1", branch = "branch=" + settings.branch.text, till = "till=" + settings.till.text,
                      t = "term=" + std::to_string(term), role = std::string("role=") + (host ? "host" : "till");
    return avahi_string_list_new(v.c_str(), branch.c_str(), till.c_str(), t.c_str(), role.c_str(), nullptr);
  }

  // Random names: two tills on one machine, or one till's own echo over Wi-Fi and cable, must not fight over a name.
  void rename(AvahiServer* s) {
    const std::string fresh = hex(settings.seed + 0x9e3779b97f4a7c15ULL * ++renames);
    instance = "till-" + fresh;
    avahi_server_set_host_name(s, ("tillsync-" + fresh).c_str());
  }

  void publish(AvahiServer* s) {
    if (group == nullptr) group = avahi_s_entry_group_new(s, on_group, this);
    if (group == nullptr) return;
    avahi_s_entry_group_reset(group);
    published = interface_addresses(settings.interface);
    const std::string host_name = std::string(avahi_server_get_host_name(s)) + ".local";
    AvahiStringList* text = text_record();
    for (const InterfaceAddress& each : published) {
      AvahiAddress address;
      if (avahi_address_parse(each.address.c_str(), AVAHI_PROTO_INET, &address) == nullptr) continue;
      avahi_server_add_address(s, group, each.index, AVAHI_PROTO_INET, AVAHI_PUBLISH_NO_REVERSE, host_name.c_str(),
                               &address);
      avahi_server_add_service_strlst(s, group, each.index, AVAHI_PROTO_INET, AvahiPublishFlags(0), instance.c_str(),
                                      kService, nullptr, host_name.c_str(), settings.port, text);
    }
    avahi_string_list_free(text);
    if (!published.empty()) avahi_s_entry_group_commit(group);
  }

  static void on_server(AvahiServer* s, AvahiServerState state, void* self) {
    auto& me = *static_cast<Impl*>(self);
    if (state == AVAHI_SERVER_RUNNING) me.publish(s);
    if (state == AVAHI_SERVER_COLLISION) me.rename(s);
    if (state == AVAHI_SERVER_FAILURE) {
      me.log({Notice::Weight::warning, std::string("mDNS stopped: ") + avahi_strerror(avahi_server_errno(s))});
    }
  }

  static void on_group(AvahiServer* s, AvahiSEntryGroup*, AvahiEntryGroupState state, void* self) {
    if (state != AVAHI_ENTRY_GROUP_COLLISION) return;
    auto& me = *static_cast<Impl*>(self);
    me.instance = "till-" + hex(me.settings.seed ^ ++me.renames);
    me.publish(s);
  }

  static void on_timer(AvahiTimeout* timeout, void* self) {
    auto& me = *static_cast<Impl*>(self);
    if (me.server != nullptr && interface_addresses(me.settings.interface) != me.published) me.publish(me.server);
    me.arm(timeout);
  }

  void arm(AvahiTimeout* timeout) {
    timeval when{};
    avahi_elapse_time(&when, kLookAgainMs, 0);
    const AvahiPoll* api = avahi_threaded_poll_get(poll);
    timeout == nullptr ? void(look_again = api->timeout_new(api, &when, on_timer, this))
                       : api->timeout_update(timeout, &when);
  }

  static void on_browse(AvahiSServiceBrowser*, AvahiIfIndex interface, AvahiProtocol protocol, AvahiBrowserEvent event,
                        const char* name, const char* type, const char* domain, AvahiLookupResultFlags, void* self) {
    auto& me = *static_cast<Impl*>(self);
    if (event != AVAHI_BROWSER_NEW || me.instance == name) return;
    avahi_s_service_resolver_new(me.server, interface, protocol, name, type, domain, AVAHI_PROTO_INET,
                                 AvahiLookupFlags(0), on_resolved, self);
  }

  static void on_resolved(AvahiSServiceResolver* resolver, AvahiIfIndex, AvahiProtocol, AvahiResolverEvent event,
                          const char*, const char*, const char*, const char*, const AvahiAddress* address,
                          std::uint16_t port, AvahiStringList* text, AvahiLookupResultFlags, void* self) {
    auto& me = *static_cast<Impl*>(self);
    if (event == AVAHI_RESOLVER_FOUND && address != nullptr) {
      auto branch = BranchId::parse(me.value(text, "branch"));
      auto till = TillId::parse(me.value(text, "till"));
      char host[AVAHI_ADDRESS_STR_MAX] = {};
      avahi_address_snprint(host, sizeof host, address);
      if (branch && till) me.on_seen({std::move(*branch), std::move(*till), {host, port}});
    }
    avahi_s_service_resolver_free(resolver);
  }

  static std::string value(AvahiStringList* text, const char* key) {
    AvahiStringList* entry = avahi_string_list_find(text, key);
    char *k = nullptr, *v = nullptr;
    if (entry == nullptr || avahi_string_list_get_pair(entry, &k, &v, nullptr) != 0) return {};
    const std::string result = v != nullptr ? v : "";
    avahi_free(k), avahi_free(v);
    return result;
  }
};

Discovery::Discovery() : impl_(std::make_unique<Impl>()) {}
Discovery::~Discovery() = default;

Result<std::unique_ptr<Discovery>> Discovery::start(DiscoverySettings settings, std::function<void(Sighting)> on_seen,
                                                    Log log) {
  std::unique_ptr<Discovery> discovery(new Discovery);
  Impl& impl = *discovery->impl_;
  impl.settings = std::move(settings);
  impl.on_seen = std::move(on_seen);
  impl.log = std::move(log);
  impl.instance = "till-" + hex(impl.settings.seed);
  impl.poll = avahi_threaded_poll_new();

  // Avahi's own log is a matter of the whole process and of its developers; what matters is said by on_server().
  avahi_set_log_function([](AvahiLogLevel, const char*) {});
  AvahiServerConfig config;
  avahi_server_config_init(&config);
  // The default of publishing host addresses makes two tills on one machine collide on the reverse record, and one is
  // never announced: the address record is our own, without the reverse (publish()).
  config.publish_addresses = config.publish_hinfo = config.publish_workstation = config.publish_domain = 0;
  config.use_ipv6 = 0;
  config.host_name = avahi_strdup(("tillsync-" + hex(impl.settings.seed)).c_str());
  if (!impl.settings.interface.empty()) {
    config.allow_interfaces = avahi_string_list_new(impl.settings.interface.c_str(), nullptr);
  }
  int error = 0;
  impl.server = avahi_server_new(avahi_threaded_poll_get(impl.poll), &config, Impl::on_server, &impl, &error);
  avahi_server_config_free(&config);
  if (impl.server == nullptr) {
    return fail(ErrorKind::refused, std::string("mDNS can't start (") + avahi_strerror(error) +
                                        "): tills are found by the configured peers only");
  }
  impl.browser = avahi_s_service_browser_new(impl.server, AVAHI_IF_UNSPEC, AVAHI_PROTO_INET, kService, nullptr,
                                             AvahiLookupFlags(0), Impl::on_browse, &impl);
  impl.arm(nullptr);
  avahi_threaded_poll_start(impl.poll);
  return discovery;
}

void Discovery::announce(std::uint64_t term, bool host) {
  avahi_threaded_poll_lock(impl_->poll);
  impl_->term = term;
  impl_->host = host;
  if (impl_->group != nullptr && avahi_s_entry_group_get_state(impl_->group) == AVAHI_ENTRY_GROUP_ESTABLISHED) {
    AvahiStringList* text = impl_->text_record();
    for (const InterfaceAddress& each : impl_->published) {
      avahi_server_update_service_txt_strlst(impl_->server, impl_->group, each.index, AVAHI_PROTO_INET,
                                             AvahiPublishFlags(0), impl_->instance.c_str(), kService, nullptr, text);
    }
    avahi_string_list_free(text);
  }
  avahi_threaded_poll_unlock(impl_->poll);
}

}  // namespace tillsync
