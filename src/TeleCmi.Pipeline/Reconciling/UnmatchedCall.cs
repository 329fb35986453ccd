using TeleCmi.Pipeline.Calls;

namespace TeleCmi.Pipeline.Reconciling;

/// <summary>A call of the journal whose ids are in no report. There may be many, so the record is made again from its packed notices.</summary>
internal sealed class UnmatchedCall
{
    private readonly string _id;
    private readonly byte[] _notices;
    private readonly DateTimeOffset _asOf;
    private readonly CallDirection? _direction;
    private readonly string? _agent;
    private readonly string? _customer;

    public UnmatchedCall(CallRecord call, DateTimeOffset asOf)
    {
        (_id, _notices, _asOf) = (call.Id, PackedNotices.Pack(call.Events), asOf);
        (_direction, _agent, _customer) = (call.Direction, call.Agent, call.CustomerNumber);
        StartedAt = call.StartedAt;
        NumberEnd = ReportBook.NumberOf(call.CustomerNumber);
    }

    public CallRecord Call => CallReducer.Reduce(_id, PackedNotices.Unpack(_notices), _asOf);

    public DateTimeOffset StartedAt { get; }

    public string NumberEnd { get; }

    /// <summary>Whether a record was found for it.</summary>
    public bool IsMatched { get; set; }

    /// <summary>Whether it may belong to a record that may belong to others too.</summary>
    public bool IsInDoubt { get; set; }

    public bool IsNear(DateTimeOffset time, TimeSpan tolerance) => (time - StartedAt).Duration() <= tolerance;

    public bool IsLike(ReportRecord record, TimeSpan tolerance) =>
        _direction == record.Report.Direction
        && IsNear(record.Time, tolerance)
        && (NumberEnd.Length == 0
            ? record.Agent is not null && record.Agent == _agent
            : PhoneNumber.IsSame(record.Customer, _customer) && (record.Agent is null || _agent is null || record.Agent == _agent));
}
