using TeleCmi.Events;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.Receiving;

/// <summary>A request's body, or its query's fields without the platform's secret, has been read.</summary>
/// <param name="Request">The request.</param>
/// <param name="Content">What came; lent for this call.</param>
/// <param name="Json">The JSON that it is, or that its fields make; lent for this call.</param>
public sealed record RequestRead(RequestId Request, ReadOnlyMemory<byte> Content, ReadOnlyMemory<byte> Json) : PipelineEvent;

/// <summary>An accepted event is about to be sent to the queue: it may be processed before its sender has the response.</summary>
/// <param name="Request">The request that brought it.</param>
/// <param name="Event">The event, as it will be processed; lent for this call.</param>
public sealed record EventQueueing(RequestId Request, CallEvent Event) : PipelineEvent;

/// <summary>A request has its response.</summary>
/// <param name="Request">The request.</param>
/// <param name="Response">The response.</param>
public sealed record RequestEnded(RequestId Request, WebhookResponse Response) : PipelineEvent;
