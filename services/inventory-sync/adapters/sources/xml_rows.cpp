#include "adapters/sources/xml_rows.h"

#include <expat.h>
#include <algorithm>
#include <array>
#include <utility>

namespace inventory_sync {
namespace {

using core::ErrorKind;

constexpr int kDepthMax = 64;
constexpr std::int64_t kTokenBytesMax = 1024L * 1024;
// Expat reads what is left of an unfinished token anew with every piece.
constexpr std::size_t kPieceMax = 64UL * 1024;

std::string_view local_name(const char* name) {
    const std::string_view whole(name);
    const auto colon = whole.rfind(':');
    return colon == std::string_view::npos ? whole : whole.substr(colon + 1);
}

std::string trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\n";
    const auto first = text.find_first_not_of(kBlank);
    return first == std::string_view::npos ? std::string{}
                                           : std::string(text.substr(first, text.find_last_not_of(kBlank) - first + 1));
}

// What a column is taken from, and its value in the row that is being read.
struct Column {
    explicit Column(const std::string& spec) : wanted(!spec.empty()) {
        const auto at = spec.find('@');
        element = spec.substr(0, at);
        if (at != std::string::npos) {
            attribute = spec.substr(at + 1);
        }
    }
    bool wanted;
    std::string element;
    std::string attribute;
    std::string value;
    bool present = false;
    std::vector<std::pair<int, std::string>> around;  // Of the open elements that have it, with their depth.
};

}  // namespace

struct XmlRows::State {
    explicit State(const FileRule& of_rule)
        : rule(of_rule),
          columns{Column(rule.sku), Column(rule.quantity), Column(rule.location), Column(rule.unit)},
          parser(XML_ParserCreate(nullptr), XML_ParserFree) {
        XML_SetUserData(parser.get(), this);
        XML_SetElementHandler(
            parser.get(),
            [](void* data, const char* name, const char** attributes) {
                static_cast<State*>(data)->begin(local_name(name), attributes);
            },
            [](void* data, const char* name) { static_cast<State*>(data)->end(local_name(name)); });
        XML_SetCharacterDataHandler(parser.get(), [](void* data, const char* text, int size) {
            static_cast<State*>(data)->characters({text, static_cast<std::size_t>(size)});
        });
        XML_SetStartDoctypeDeclHandler(parser.get(), [](void* data, const char*, const char*, const char*, int) {
            static_cast<State*>(data)->refuse("doctype_refused", "the file has a DOCTYPE; a snapshot needs none");
        });
    }

    void refuse(std::string code, const std::string& what) {
        if (!failed) {
            failed = core::Error{.kind = ErrorKind::rejected,
                                 .code = std::move(code),
                                 .message = "line " + std::to_string(XML_GetCurrentLineNumber(parser.get())) + ": " + what};
        }
        XML_StopParser(parser.get(), XML_FALSE);
    }

    void begin(std::string_view name, const char** attributes) {
        if (failed) {
            return;
        }
        if (++depth > kDepthMax) {
            refuse("nesting_too_deep", "elements stand more than 64 deep in each other");
            return;
        }
        if (collecting != nullptr) {
            refuse("row_malformed", "an element stands in the text of a column");
            return;
        }
        const bool is_row = name == rule.row;
        if (is_row && row_depth != 0) {
            refuse("row_malformed", "a row stands in a row");
            return;
        }
        if (is_row) {
            row_depth = depth;
            row_bytes = 0;
            for (auto& column : columns) {
                column.value.clear();
                column.present = false;
            }
        }
        collecting = nullptr;
        for (auto& column : columns) {
            if (!column.wanted) {
                continue;
            }
            if (column.attribute.empty()) {
                if (row_depth != 0 && !is_row && name == column.element) {
                    if (column.present) {
                        refuse("row_malformed", "an element that stands for a column is there twice");
                        return;
                    }
                    column.present = true;
                    collecting = &column;
                }
            } else if (column.element.empty() ? is_row : name == column.element) {
                for (const char** attribute = attributes; *attribute != nullptr; attribute += 2) {
                    if (local_name(attribute[0]) == column.attribute) {
                        column.around.emplace_back(depth, attribute[1]);
                        break;
                    }
                }
            }
        }
        collecting_depth = depth;
    }

    void characters(std::string_view text) {
        if (failed || collecting == nullptr || depth != collecting_depth) {
            return;
        }
        row_bytes += text.size();
        if (row_bytes > kRowBytesMax) {
            refuse("row_too_long", "a row has more than 64 KiB of text");
            return;
        }
        collecting->value.append(text);
    }

    void end(std::string_view) {
        if (failed) {
            return;
        }
        if (depth == row_depth) {
            take_row();
            row_depth = 0;
        }
        for (auto& column : columns) {
            if (!column.around.empty() && column.around.back().first == depth) {
                column.around.pop_back();
            }
        }
        collecting = nullptr;
        --depth;
    }

    void take_row() {
        std::array<std::string, 4> texts;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            auto& column = columns.at(i);
            if (!column.attribute.empty()) {
                column.present = !column.around.empty();
                column.value = column.present ? column.around.back().second : std::string{};
            }
            if (column.wanted && !column.present) {
                refuse("columns_missing", "a row lacks its " + std::string(kNames.at(i)));
                return;
            }
            texts.at(i) = trimmed(column.value);
        }
        auto row = row_of(std::move(texts[0]), rule.location.empty() ? rule.fixed_location : std::move(texts[2]),
                          std::move(texts[3]), std::move(texts[1]), rule);
        if (!row) {
            refuse(row.error().code, row.error().message);
            return;
        }
        ++rows;
        if (auto done = (*take)(*row); !done) {
            failed = std::move(done.error());
            XML_StopParser(parser.get(), XML_FALSE);
        }
    }

    core::Result<void> parse(std::string_view piece, bool last) {
        if (failed) {
            return std::unexpected(*failed);
        }
        const auto status = XML_Parse(parser.get(), piece.data(), static_cast<int>(piece.size()), last ? 1 : 0);
        fed += static_cast<std::int64_t>(piece.size());
        if (failed) {
            return std::unexpected(*failed);
        }
        if (status != XML_STATUS_OK) {
            refuse(code_of(XML_GetErrorCode(parser.get())), XML_ErrorString(XML_GetErrorCode(parser.get())));
        } else if (!last && fed - std::max<std::int64_t>(0, XML_GetCurrentByteIndex(parser.get())) > kTokenBytesMax) {
            refuse("row_too_long", "a tag or comment is longer than 1 MiB");
        }
        return failed ? core::Result<void>(std::unexpected(*failed)) : core::Result<void>{};
    }

    [[nodiscard]] std::string code_of(XML_Error error) const {
        switch (error) {
            case XML_ERROR_UNKNOWN_ENCODING:
            case XML_ERROR_INCORRECT_ENCODING:
                return "encoding_unknown";
            case XML_ERROR_NO_ELEMENTS:
            case XML_ERROR_UNCLOSED_TOKEN:
            case XML_ERROR_PARTIAL_CHAR:
            case XML_ERROR_UNCLOSED_CDATA_SECTION:
                return fed == 0 ? "file_empty" : "truncated";
            default:
                return "xml_malformed";
        }
    }

    static constexpr std::array<std::string_view, 4> kNames{"SKU", "quantity", "location", "unit"};
    const FileRule& rule;
    std::array<Column, 4> columns;
    std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser;
    const Take* take = nullptr;
    int depth = 0;
    int row_depth = 0;  // 0: outside of a row.
    Column* collecting = nullptr;
    int collecting_depth = 0;
    std::size_t row_bytes = 0;
    std::int64_t fed = 0;
    std::uint64_t rows = 0;
    std::optional<core::Error> failed;
};

XmlRows::XmlRows(const FileRule& rule) : state_(std::make_unique<State>(rule)) {}
XmlRows::~XmlRows() = default;

core::Result<void> XmlRows::feed(std::string_view piece, const Take& take) {
    state_->take = &take;
    for (std::size_t at = 0; at < piece.size(); at += kPieceMax) {
        if (auto done = state_->parse(piece.substr(at, kPieceMax), false); !done) {
            return done;
        }
    }
    return {};
}

core::Result<void> XmlRows::finish(const Take& take) {
    state_->take = &take;
    if (auto done = state_->parse({}, true); !done) {
        return done;
    }
    if (state_->rows == 0) {
        return core::fail(ErrorKind::rejected, "file_empty", "no element of the file is a <" + state_->rule.row + ">");
    }
    return {};
}

std::uint64_t XmlRows::rows() const {
    return state_->rows;
}

}  // namespace inventory_sync
