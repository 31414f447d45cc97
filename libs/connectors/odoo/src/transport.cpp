#include "syncline/odoo/transport.h"

#include <syncline/core/fault.h>
#include <syncline/json/writer.h>
#include <atomic>
#include <mutex>
#include <utility>

namespace syncline::odoo {
namespace {

using core::ErrorKind;

constexpr std::string_view kUserAgent = "syncline-order-export/1";

core::Result<http::Response> post(http::Client& client, std::string url, http::Headers headers, std::string body, bool changes,
                                  const core::Deadline& deadline) {
    headers.add("user-agent", kUserAgent);
    headers.add("accept", "application/json");
    auto response = client.send({.method = "POST",
                                 .url = std::move(url),
                                 .headers = std::move(headers),
                                 .body = std::move(body),
                                 .content_type = "application/json; charset=utf-8",
                                 .reply_bytes_max = std::size_t{32} << 20U},
                                deadline);
    if (changes) {
        SYNCLINE_FAULT_POINT("answer_lost");
    }
    if (!response && response.error().code == "reply_too_large") {
        // The call was carried out, whatever its answer said.
        return core::fail(ErrorKind::unknown_outcome, "reply_too_large", response.error().message);
    }
    return response;
}

// Params, ids and context in one object, the way both transports want named parameters. `params` is our own Writer's object.
std::string named(const Call& call, bool with_ids) {
    std::string body = call.params;
    body.pop_back();
    const auto next = [&] {
        if (body.size() > 1) {
            body += ',';
        }
    };
    if (with_ids && call.on_records) {
        next();
        body += R"("ids":[)";
        for (const auto id : call.ids) {
            body += std::to_string(id) + ',';
        }
        if (body.back() == ',') {
            body.pop_back();
        }
        body += ']';
    }
    next();
    body += R"("context":)" + call.context + '}';
    return body;
}

class Json2 final : public Transport {
public:
    Json2(http::Client& client, Target target) : client_(client), target_(std::move(target)) {}

    core::Result<Answer> call(const Call& call, const core::Deadline& deadline) override {
        http::Headers headers;
        headers.add("authorization", "bearer " + target_.api_key());
        if (!target_.database.empty()) {
            headers.add("x-odoo-database", target_.database);
        }
        auto response = post(client_, target_.url + "/json/2/" + call.model + "/" + call.method, std::move(headers),
                             named(call, true), call.changes, deadline);
        if (!response) {
            return std::unexpected(std::move(response.error()));
        }
        return read_json2(std::move(*response));
    }

private:
    http::Client& client_;
    const Target target_;
};

class JsonRpc final : public Transport {
public:
    JsonRpc(http::Client& client, Target target) : client_(client), target_(std::move(target)) {}

    core::Result<Answer> call(const Call& call, const core::Deadline& deadline) override {
        auto uid = user(deadline);
        if (!uid) {
            return std::unexpected(std::move(uid.error()));
        }
        json::Writer args;
        args.begin_array()
            .string(target_.database)
            .integer(*uid)
            .string(target_.api_key())
            .string(call.model)
            .string(call.method);
        args.begin_array();
        if (call.on_records) {
            args.begin_array();
            for (const auto id : call.ids) {
                args.integer(id);
            }
            args.end_array();
        }
        args.end_array().raw(named(call, false)).end_array();
        auto answer = send("object", "execute_kw", std::move(args).take(), call.changes, deadline);
        if (!answer && answer.error().kind == ErrorKind::unauthorized) {
            const std::lock_guard lock(mutex_);
            uid_ = 0;
        }
        return answer;
    }

    core::Result<Answer> send(std::string_view service, std::string_view method, std::string args, bool changes,
                              const core::Deadline& deadline) {
        json::Writer body;
        body.begin_object().member("jsonrpc", "2.0").member("method", "call").member("id", ++sequence_);
        body.key("params").begin_object().member("service", service).member("method", method).key("args").raw(args).end_object();
        body.end_object();
        auto response = post(client_, target_.url + "/jsonrpc", {}, std::move(body).take(), changes, deadline);
        if (!response) {
            return std::unexpected(std::move(response.error()));
        }
        return read_jsonrpc(std::move(*response));
    }

private:
    // The numeric user that execute_kw wants; asked once, and again after a refusal.
    core::Result<std::int64_t> user(const core::Deadline& deadline) {
        {
            const std::lock_guard lock(mutex_);
            if (uid_ != 0) {
                return uid_;
            }
        }
        json::Writer args;
        args.begin_array()
            .string(target_.database)
            .string(target_.login)
            .string(target_.api_key())
            .begin_object()
            .end_object()
            .end_array();
        auto answer = send("common", "authenticate", std::move(args).take(), false, deadline);
        if (!answer) {
            return std::unexpected(std::move(answer.error()));
        }
        const auto id = answer->value() ? answer->value()->int64() : core::Result<std::int64_t>(0);
        if (!id || *id <= 0) {
            return core::fail(ErrorKind::unauthorized, "api_key_refused", "Odoo refuses login or API key",
                              "check target.login and the key file");
        }
        const std::lock_guard lock(mutex_);
        uid_ = *id;
        return uid_;
    }

    http::Client& client_;
    const Target target_;
    std::atomic<std::int64_t> sequence_{0};
    std::mutex mutex_;
    std::int64_t uid_ = 0;
};

core::Result<Version> version_in(const std::optional<json::Value>& info, const std::optional<json::Value>& words) {
    Version version;
    version.text = text(words);
    if (info && info->is_array() && info->size() > 0) {
        const auto first = *info->elements().begin();
        if (const auto major = first.int64()) {
            version.major = static_cast<int>(*major);
        } else {
            // Odoo Online: "saas~18.2".
            const auto name = text(first);
            const auto digits = name.find_first_of("0123456789");
            const auto number = digits == std::string::npos ? core::Result<core::Decimal>(core::Decimal{})
                                                            : core::Decimal::parse(name.substr(digits, 2));
            version.major = number ? static_cast<int>(number->to_int64().value_or(0)) : 0;
        }
    }
    if (version.major < 10 || version.major > 99) {
        return core::fail(ErrorKind::transient, "version_unknown",
                          "what answers at the target's URL does not say which Odoo it is", "check target.url");
    }
    return version;
}

}  // namespace

core::Result<Version> probe_version(http::Client& client, const Target& target, const core::Deadline& deadline) {
    auto response = client.send({.method = "GET", .url = target.url + "/web/version", .reply_bytes_max = 64U << 10U}, deadline);
    if (!response) {
        // Nothing was changed: a lost answer of a GET is only an absent server.
        response.error().kind = ErrorKind::transient;
        return std::unexpected(std::move(response.error()));
    }
    if (response->status == 200) {
        if (const auto document = json::Document::parse(std::move(response->body))) {
            auto version = version_in(document->root().get("version_info"), document->root().get("version"));
            if (version) {
                return version;
            }
        }
    }
    JsonRpc rpc(client, target);
    auto answer = rpc.send("common", "version", "[]", false, deadline);
    if (!answer) {
        answer.error().kind = ErrorKind::transient;
        return std::unexpected(std::move(answer.error()));
    }
    if (!answer->value()) {
        return version_in(std::nullopt, std::nullopt);
    }
    return version_in(answer->value()->get("server_version_info"), answer->value()->get("server_version"));
}

std::unique_ptr<Transport> make_transport(const Version& version, http::Client& client, Target target) {
    if (version.json2()) {
        return std::make_unique<Json2>(client, std::move(target));
    }
    return std::make_unique<JsonRpc>(client, std::move(target));
}

}  // namespace syncline::odoo
