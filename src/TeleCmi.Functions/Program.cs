using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TeleCmi.Functions;
using TeleCmi.Handlers;
using TeleCmi.Pipeline;
using TeleCmi.Storage.Azure;

var builder = FunctionsApplication.CreateBuilder(args);
builder.Services.AddTeleCmiPipeline();
builder.Services.AddAzureStorage();
builder.Services.AddHandlers();
builder.Services.AddTriggerSettings();
builder.Services.AddHostedService<WarmUp>();
builder.AddTelemetry();

await builder.Build().RunAsync();
