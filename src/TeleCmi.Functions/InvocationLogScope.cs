using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.Logging;

namespace TeleCmi.Functions;

/// <summary>
/// Names the invocation on every log line that a function writes. The host drops lines that do not name one, and with the
/// worker's OpenTelemetry defaults no line does (Azure/azure-functions-dotnet-worker issue 3489).
/// </summary>
internal sealed class InvocationLogScope(ILogger<InvocationLogScope> logger) : IFunctionsWorkerMiddleware
{
    private const string InvocationId = "AzureFunctions_InvocationId";

    /// <summary>Runs the function inside the scope.</summary>
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        KeyValuePair<string, object>[] scope = [new(InvocationId, context.InvocationId)];
        using (logger.BeginScope(scope))
        {
            await next(context);
        }
    }
}
