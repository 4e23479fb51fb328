package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// explained is the error as its receiver must understand it: store.ErrStarved of a question that needs too much, context.DeadlineExceeded of one that took too long, an
// exception of a statement that is wrong, and store.ErrUnavailable of all others, which pass: whatever they say of disks, files, memory, parts, tables and other servers, the
// same statement can be answered when that is mended.
func explained(ctx context.Context, err error) error {
	var said *ch.Exception
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case !errors.As(err, &said):
	case said.IsCode(proto.ErrAllConnectionTriesFailed, proto.ErrNetworkError, proto.ErrSocketTimeout): // to another server, which its text names
		return &connectError{"a shard of clickhouse is away", err}
	case !wrong(said.Code) && namesServer(said.Message): // that broke off in the middle, or said so itself
		return &connectError{"a shard of clickhouse cannot answer", err}
	case said.IsCode(proto.ErrTooManyRowsOrBytes), said.IsCode(proto.ErrMemoryLimitExceeded) && ofTheQuestion(said.Message):
		return fmt.Errorf("%w: %w", store.ErrStarved, err)
	case said.IsCode(proto.ErrTimeoutExceeded):
		return fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	case wrong(said.Code):
		return err
	}
	return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
}

// namesServer says that a message has the address of another server: /readyz shows what is said of the servers to whoever asks.
func namesServer(message string) bool {
	for _, before := range []string{"packet from ", "eceived from ", "peer: "} {
		if _, address, found := strings.Cut(message, before); found && strings.Contains(address, ":") {
			return true
		}
	}
	return false
}

// ofTheQuestion says that a limit of memory is that of the question alone, and not of all that the server does, or does for the user.
func ofTheQuestion(message string) bool {
	return !strings.Contains(message, "(total)") && !strings.Contains(message, "User memory limit") && !strings.Contains(message, "(for user)")
}

// wrong says that a code is about the text of a statement, its parameters or its values: asked again, it is refused again.
func wrong(code proto.Error) bool {
	switch code {
	case proto.ErrSyntaxError, proto.ErrIncorrectQuery, proto.ErrUnknownElementInAst, proto.ErrTooDeepAst, proto.ErrTooBigAst, proto.ErrTooDeepSubqueries, proto.ErrTooDeepRecursion, proto.ErrQueryIsTooLarge,
		proto.ErrUnsupportedMethod, proto.ErrNotImplemented, proto.ErrUnsupportedParameter, proto.ErrUnknownSetting, proto.ErrSupportIsDisabled,
		// names
		proto.ErrUnknownIdentifier, proto.ErrUnknownFunction, proto.ErrUnknownAggregateFunction, proto.ErrUnknownType, proto.ErrThereIsNoColumn, proto.ErrNoSuchColumnInTable, proto.ErrNotFoundColumnInBlock,
		proto.ErrAmbiguousIdentifier, proto.ErrAmbiguousColumnName, proto.ErrAmbiguousTableName, proto.ErrMultipleExpressionsForAlias, proto.ErrCyclicAliases, proto.ErrAliasRequired,
		// arguments and types
		proto.ErrBadArguments, proto.ErrNumberOfArgumentsDoesntMatch, proto.ErrTooManyArgumentsForFunction, proto.ErrTooFewArgumentsForFunction, proto.ErrIllegalTypeOfArgument, proto.ErrIllegalColumn,
		proto.ErrTypeMismatch, proto.ErrNoCommonType, proto.ErrCannotConvertType, proto.ErrArgumentOutOfBound, proto.ErrNotAnAggregate, proto.ErrIllegalAggregation, proto.ErrIllegalFinal, proto.ErrIllegalPrewhere,
		proto.ErrUnionAllResultStructuresMismatch, proto.ErrNumberOfColumnsDoesntMatch, proto.ErrIncorrectNumberOfColumns, proto.ErrCannotInsertNullInOrdinaryColumn, proto.ErrCannotCompileRegexp,
		// values
		proto.ErrCannotParseText, proto.ErrCannotParseNumber, proto.ErrCannotParseDate, proto.ErrCannotParseDatetime, proto.ErrCannotParseEscapeSequence, proto.ErrCannotParseQuotedString,
		proto.ErrCannotParseInputAssertionFailed, proto.ErrCannotReadArrayFromText, proto.ErrBadQueryParameter, proto.ErrUnknownQueryParameter, proto.ErrValueIsOutOfRangeOfDataType, proto.ErrDecimalOverflow,
		proto.ErrIllegalDivision, proto.ErrTooLargeStringSize, proto.ErrTooLargeArraySize, proto.ErrSizesOfArraysDontMatch:
		return true
	}
	return false
}
